"""The text of cassettes: what is written can be read, and errors name file, line and cause."""

from pathlib import Path

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from llm_gateway.cassettes import document
from llm_gateway.exceptions import CassetteReadError

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
LINES = st.lists(
    st.sampled_from(["data: {}", "", " ", "\t", "é", "🎈", "\x85", "\u2028", "#", "- a", "'", '"', "\r"])
).map("\n".join)


@given(text=TEXT | LINES)
@example(text="\ndata: 1\n\n")
@example(text="  leading\n\ttab\n")
@example(text="event: x\ndata: \n\n")
@example(text="a\x85b\nc")
@example(text="\ufeffx\ny 🎈\n")
def test_any_text_survives_dumping_and_parsing(text):
    """No character changes, whatever YAML style it is written in."""
    written = document.dump({"version": 1, "interactions": [{"text": text}]})

    assert text == document.parse(written.encode(), Path("x.yaml"))["interactions"][0]["text"]
    assert text == yaml.safe_load(written)["interactions"][0]["text"]


def test_streams_are_written_as_literal_blocks():
    """Text with line breaks stays readable, emoji included."""
    written = document.dump({"interactions": [{"string": 'data: {"a": "🎈"}\n\ndata: [DONE]\n\n'}]})

    assert '- string: |+\n    data: {"a": "🎈"}\n\n    data: [DONE]\n' in written


@pytest.mark.parametrize(
    ("raw", "line", "cause"),
    [
        (b"version: 1\ninteractions:\n- request: \xff", 3, "not UTF-8: byte 0xff"),
        (b"version: 1\ninteractions: [", 2, "not YAML: "),
        (b"version: 1\ninteractions:\n- !!python/object/apply:os.system [echo]", 3, "refused to build a Python object"),
        (
            b"version: 1\ninteractions:\n- !!python/name:os.system",
            3,
            "refused to build a Python object (python/name:os.system)",
        ),
        (b"- a\n- b\n", 1, "not a cassette"),
        (b"interactions: 3", 1, "not a cassette"),
        (b"interactions: []\nversion: 7\n", 2, "version 7; this release reads version 1"),
    ],
)
def test_an_unreadable_file_is_an_error_with_file_line_and_cause(raw, line, cause):
    """It is never taken for an empty cassette."""
    with pytest.raises(CassetteReadError) as caught:
        document.parse(raw, Path("some/test.yaml"))

    assert f"cannot read cassette some/test.yaml, line {line}" == caught.value.message
    assert cause in caught.value.cause
    assert caught.value.fix


@pytest.mark.parametrize("level", ["[", "[ ", "{a: ", "[0,", "[\n", "? ", "- ", "- ? ", "[']',"])
def test_nesting_that_would_crash_the_interpreter_is_an_error(level):
    """In any YAML style; libyaml would overflow the stack, and end the whole test run."""
    raw = f"interactions:\n  {level * 30_000}"

    with pytest.raises(CassetteReadError, match=r"some/test\.yaml, line \d+") as caught:
        document.parse(raw.encode(), Path("some/test.yaml"))

    assert "nested too deep to be a cassette" == caught.value.cause


def test_only_levels_that_are_open_at_once_count_as_nesting():
    """Levels that are closed again do not count, nor do brackets within text."""
    raw = f"interactions: [{'[[0]], ' * 5_000}]\ntext: '{'[' * 5_000}'"

    assert 5_000 == len(document.parse(raw.encode(), Path("x"))["interactions"])


def test_header_names_of_early_aiohttp_cassettes_are_read_as_text():
    """Old cassettes carry one Python tag; it becomes a string, and no object is built."""
    raw = (
        b"interactions:\n- headers:\n    ? !!python/object/apply:multidict._multidict.istr [Content-Type]\n    : [a]\n"
    )

    assert document.parse(raw, Path("x"))["interactions"][0]["headers"] == {"Content-Type": ["a"]}
