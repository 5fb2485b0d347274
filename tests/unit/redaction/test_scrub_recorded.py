"""Scrubbing real recorded traffic: soft identifiers go, and nothing that is no secret is touched."""

import json
import re
from pathlib import Path

import pytest

from llm_gateway.cassettes.playback import Playback
from llm_gateway.redaction.scrub import Scrubber, find_secrets

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
MANIFEST = DATA / "cassettes" / "MANIFEST.jsonl"
ROWS = [json.loads(row) for row in MANIFEST.read_text().splitlines()] if MANIFEST.exists() else []
pytestmark = pytest.mark.skipif(not ROWS, reason=f"no recorded traffic at {DATA}: it is kept outside the checkout")

# Replies that carry addresses of generated pictures, signed for an hour: the signature is a credential, and goes.
SIGNED = re.compile(rb"[?&]sig=[^&\"\\]+")
WITH_SIGNATURES = "test_image_gen_metrics.yaml"


@pytest.mark.parametrize("row", ROWS, ids=[Path(row["file"]).stem for row in ROWS])
def test_recorded_exchanges_keep_their_bodies_and_lose_soft_identifiers(row):
    """Cookies and organisation ids go by name; bodies and addresses stay byte for byte, signatures excepted."""
    playback = Playback(DATA / "cassettes" / row["file"])
    identifiers = {soft.removeprefix("header:") for soft in row["soft_identifiers"]}
    exchanges = [playback.exchange(position) for position in range(len(playback))]
    pairs = [(exchange, Scrubber({}).scrub(exchange)) for exchange in exchanges]
    names = {name.lower() for _, new in pairs for name, _ in (*new.request.headers, *new.reply.headers)}

    assert set() == names & (identifiers | {"authorization", "x-api-key", "cookie", "set-cookie"})
    assert [old.request.body for old, _ in pairs] == [new.request.body for _, new in pairs]
    assert [old.request.url for old, _ in pairs] == [new.request.url for _, new in pairs]
    if row["file"].endswith(WITH_SIGNATURES):
        assert {b"sig=SECRET"} == {sig[1:] for _, new in pairs for sig in SIGNED.findall(new.reply.body)}
    else:
        assert [old.reply for old, _ in pairs] == [
            type(new.reply)(new.reply.status, old.reply.headers, new.reply.body) for old, new in pairs
        ]


@pytest.mark.parametrize("row", ROWS, ids=[Path(row["file"]).stem for row in ROWS])
def test_verification_finds_nothing_in_recorded_files(row):
    """No model text, picture, id or hash of 190 files looks like a secret; signed addresses are."""
    found = find_secrets((DATA / "cassettes" / row["file"]).read_text(), {})

    assert (["URL parameter"] * 3 if row["file"].endswith(WITH_SIGNATURES) else []) == [each.kind for each in found]


@pytest.mark.parametrize("channel", ["stdin", "stdout", "stderr"])
def test_verification_finds_nothing_in_the_output_of_commands(channel):
    """Runs of the real claude command line hold session ids and hashes, and no secret."""
    texts = [json.loads(file.read_text()).get(channel) for file in sorted((DATA / "claude_cli").glob("*.json"))]

    assert [] == [find_secrets(text, {}) for text in texts if isinstance(text, str) and find_secrets(text, {})]
