"""
Run mutmut and compare the mutants that survive with the ones that survivors.md explains.

Exits with 1, and prints each difference as a diff ready to be pasted, when a survivor is not explained or when an
explained one is now killed. The modules and their tests are listed in pyproject.toml under ``[tool.mutmut]``.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from mutmut.mutation.diff_apply import get_diff_for_mutant

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
EXPLAINED = HERE / "survivors.md"
MUTMUT = str(Path(sys.executable).with_name("mutmut"))
SURVIVED = ("survived", "no tests", "suspicious")
CODEC = re.compile(r'"(utf-8|latin-1)"', re.IGNORECASE)
"""Python ignores the case of their names, which is the one change of many mutants."""


def output_of(*command):
    """Return what *command* prints; fail with its output when it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}")
    return done.stdout


def survivors():
    """Return the name of each surviving mutant, as mutmut spells it."""
    rows = (line.strip().rpartition(": ") for line in output_of(MUTMUT, "results").splitlines())
    return [name for name, _, status in rows if status in SURVIVED]


def readable(name):
    """Return where mutant *name* is, as in ``llm_gateway.cassettes.match.Index.take``."""
    module, _, function = re.sub(r"__mutmut_\d+$", "", name).rpartition(".")
    return ".".join([module, *re.sub("^x(ǁ|_)", "", function).split("ǁ")])


def diff_of(name):
    """Return the place of mutant *name* and its changed lines, without their indentation."""
    lines = get_diff_for_mutant(name).splitlines()
    changed = [line for line in lines if line[:1] in "+-" and line[:3] not in ("+++", "---")]
    return "\n".join([f"@@ {readable(name)}", *(f"{line[0]} {line[1:].strip()}" for line in changed)])


def is_case_of_codec(diff):
    """Return True when *diff* changes nothing but the case of a codec's name."""
    _, *lines = diff.splitlines()
    return len({CODEC.sub("", line[2:]) for line in lines}) == 1


def explained():
    """Return the diffs in survivors.md; each fenced block may hold several, each under an ``@@`` line."""
    blocks = re.findall(r"```diff\n(.*?)```", EXPLAINED.read_text("utf-8"), re.DOTALL)
    return {one.strip() for block in blocks for one in re.split(r"\n(?=@@ )", block.strip())}


def main():
    """Run the mutants, report the differences and return the exit code; ``--keep`` reads the results of the last run."""
    os.chdir(ROOT)
    if "--keep" not in sys.argv:
        run()
    print(summary())
    found, listed = {diff for name in survivors() if not is_case_of_codec(diff := diff_of(name))}, explained()
    for title, diffs in (
        (
            "survive and are not explained in tests/mutation/survivors.md: write a test, or say why none can",
            found - listed,
        ),
        ("are explained in tests/mutation/survivors.md but no longer survive: remove them", listed - found),
    ):
        if diffs:
            print(f"\n{len(diffs)} mutants {title}\n\n" + "\n".join(sorted(diffs)))
    return 1 if found != listed else 0


def run():
    """Test every mutant anew."""
    shutil.rmtree("mutants", ignore_errors=True)
    output_of(MUTMUT, "run", "--max-children", str(os.cpu_count() or 1))


def summary():
    """Return one line for each module: mutants made and mutants that survived."""
    made, survived = {}, {}
    for line in output_of(MUTMUT, "results", "--all", "true").splitlines():
        name, _, status = line.strip().rpartition(": ")
        module = name.rpartition(".")[0]
        made[module] = made.get(module, 0) + 1
        survived[module] = survived.get(module, 0) + (status in SURVIVED)
    return "\n".join(f"{survived[module]:4} of {made[module]:4} survive in {module}" for module in sorted(made))


if __name__ == "__main__":
    sys.exit(main())
