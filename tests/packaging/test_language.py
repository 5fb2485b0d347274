"""The source uses the words of the glossary in CONTRIBUTING.md, and docstrings of functions begin with a verb."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "llm_gateway"
PARTS = sorted(path for path in SOURCE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists())
NOT_VERBS = frozenset(
    "a after all also an and another any around as at before both by each every everywhere for from how if in input it "
    "its no none not nothing of on once one only or other same some such text that the their there these they this "
    "those told true twice us what whatever when where whether which who whoever whose why with".split()
)
ENDINGS = ("ing", "ed", "s")
VERBS = frozenset("bring embed feed pass press process proceed".split())


def rejected_words():
    """Return the words that the last column of the glossary has as code, as one pattern."""
    glossary = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("\n## Glossary\n")[2]
    rows = [line.rstrip(" |").rpartition("|")[2] for line in glossary.splitlines() if line.startswith("| ")]
    words = [word for row in rows for word in re.findall(r"`([^`]+)`", row)]
    spelt = "|".join(re.sub(r"[ -]", "[ _-]?", word) for word in words)
    return re.compile(rf"(?<![a-z])(?:{spelt})s?(?![a-z])", re.IGNORECASE)


def spaced(line):
    """Return *line* with the words of camel-case names separated by spaces."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", line)


def is_verb(word):
    """Return whether *word*, the first of a docstring, may be an imperative; nouns in the singular pass as well."""
    lower = word.rstrip(",.:;").lower()
    if not lower.isalpha() or lower in NOT_VERBS:
        return False
    return lower in VERBS or lower.endswith("ss") or not lower.endswith(ENDINGS)


def files_of(part):
    """Return the files of a package, or of a module."""
    return [part] if part.is_file() else sorted(part.rglob("*.py"))


def first_words():
    """Yield place and first word of each docstring of a function; properties begin with a noun."""
    for file in (file for part in PARTS for file in files_of(part)):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            decorators = {ast.unparse(one).rpartition(".")[2] for one in node.decorator_list}
            text = ast.get_docstring(node)
            if text and not decorators & {"property", "cached_property", "fixture"}:
                yield f"{file.relative_to(ROOT)}:{node.lineno}", text.split()[0]


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.stem)
def test_the_source_has_no_word_that_the_glossary_replaces(part):
    """In names, docstrings, comments and messages."""
    pattern = rejected_words()
    found = [
        f"{file.relative_to(ROOT)}:{number}: {match[0]}"
        for file in files_of(part)
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        if (match := pattern.search(spaced(line)))
    ]

    assert [] == found


@pytest.mark.parametrize(
    ("word", "expected"),
    [("Return", True), ("Pass", True), ("Feed", True), ("What", False), ("Sums", False), ("*text*", False)],
)
def test_verbs_are_recognised(word, expected):
    """By a list of words that are no verbs, and by endings."""
    assert expected is is_verb(word)


def test_docstrings_of_functions_begin_with_a_verb():
    """Whatever ruff's rule passes over, as a docstring that begins with an argument."""
    words = list(first_words())
    others = [f"{place}: {word}" for place, word in words if not is_verb(word)]

    assert len(words) > 1000
    assert [] == others
