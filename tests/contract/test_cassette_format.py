"""Cassettes of this repository's tests and examples, read by plain vcrpy."""

import json
import re
from pathlib import Path

import pytest
import yaml
from vcr.cassette import Cassette

ROOT = Path(__file__).parents[2]
CASSETTES = sorted(
    file
    for folder in ("cassettes", "examples/quickstart/cassettes", "examples/client/cassettes")
    for file in (ROOT / folder).rglob("*.yaml")
)
OWN = [file for file in CASSETTES if file.is_relative_to(ROOT / "cassettes")]
HTTP = [file for file in CASSETTES if "\ninteractions:" in file.read_text(encoding="utf-8")]


def name_of(file):
    return file.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("file", HTTP, ids=name_of)
def test_vcrpy_reads_the_same_requests_and_replies(file):
    """Method, URL, body and status are those in the file."""
    interactions = yaml.safe_load(file.read_text(encoding="utf-8"))["interactions"]

    read = Cassette.load(path=str(file))

    assert [(one["request"]["method"], one["request"]["uri"]) for one in interactions] == [
        (request.method, request.uri) for request in read.requests
    ]
    assert [json.loads(one["request"]["body"]) for one in interactions] == [
        json.loads(one.body) for one in read.requests
    ]
    assert [one["response"]["status"]["code"] for one in interactions] == [
        one["status"]["code"] for one in read.responses
    ]
    assert all(one["body"]["string"] for one in read.responses)


@pytest.mark.parametrize("file", OWN, ids=name_of)
def test_cassette_belongs_to_an_existing_test(file):
    """A test that was renamed or deleted leaves no cassette behind."""
    module = (ROOT / file.parent.relative_to(ROOT / "cassettes")).with_suffix(".py")
    function = file.stem.partition("[")[0].rpartition(".")[2]

    assert re.search(rf"^ *(async )?def {function}\(", module.read_text(encoding="utf-8"), re.MULTILINE)


def test_own_cassettes_are_few_and_small():
    """The repository's cassettes have at most 300 kB together."""
    assert len(OWN) > 20
    assert sum(file.stat().st_size for file in OWN) < 300_000
