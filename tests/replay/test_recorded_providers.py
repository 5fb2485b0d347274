"""Recorded traffic of each provider, decoded in the format of its client: the table's last column."""

import json
from collections import Counter

from provider_pages import NAMES, made

from llm_gateway.providers.base import HttpProvider

PROVIDER_NAMES = {"google-gla": "gemini", "google-vertex": "vertex"}
"""Providers by their names in the manifest, where these differ."""
ENDLESS = b'"completion_tokens_details":null},"system_fingerprint":"v1","service_tier":null}\n\n'
"""End of the one stream without ``[DONE]``, Writer's: it ends after its usage. A client reports it as broken."""


def provider_of(expected, formats):
    """Return the provider that makes such a call; ``compatible`` for other hosts of chat completions, else None."""
    name, api = PROVIDER_NAMES.get(expected["provider"], expected["provider"]), expected["api"]
    if (name, api) == ("openai", "openai.responses"):
        return "openai_responses"
    if formats.get(name) and formats[name].name == api:
        return name
    return "compatible" if api == "openai.chat" else None


def read(dialect, expected, headers, body):
    """Return the tokens of a recorded reply; None for an error reply, whose kind and message are checked."""
    if expected["status"] >= 400:
        facts = dialect.decode_error(expected["status"], headers, body)
        assert facts.kind
        assert facts.message
        return None
    if not expected["streaming"]:
        reply = dialect.decode_reply(json.loads(body))
    else:
        decoder = dialect.stream_decoder()
        texts = [delta.text for delta in decoder.feed(body)]
        reply = decoder.reply()
        assert reply.text == "".join(texts)
        assert decoder.is_finished or decoder.error or body.endswith(ENDLESS)
    return reply.usage and (reply.usage.input_tokens, reply.usage.output_tokens)


def test_each_provider_reads_its_recorded_traffic(traffic, record_property):
    """Tokens of replies and streams equal the expected ones, and error replies have a kind and a message."""
    providers = {name: made(name) for name in NAMES}
    formats = {name: one.dialect for name, one in providers.items() if isinstance(one, HttpProvider)}
    counts, wrong = Counter(), []
    for row in traffic.manifest:
        expected = {one["index"]: one for one in row["expected"] if one["llm"]}
        entries = [(expected[index], entry) for index, entry in traffic.load(row["file"]) if index in expected]
        for one, entry in entries:
            if (name := provider_of(one, formats)) is None:
                continue
            headers = tuple(traffic.headers_of(entry["response"]))
            body = traffic.plain(traffic.body_of(entry["response"]), headers)
            usage = one["usage"] and (one["usage"]["input"], one["usage"]["output"])
            if (found := read(formats[name], one, headers, body)) == usage:
                counts[name] += 1
            else:
                wrong.append((row["file"], one["index"], usage, found))
    for name in formats:
        record_property("row providers", [name, {"recorded": str(counts[name])}])

    assert [] == wrong
    assert {*NAMES} == {*formats, "local_claude"}  # its runs are read in tests/replay/test_recorded_claude.py
    assert counts["openai"] >= 20
