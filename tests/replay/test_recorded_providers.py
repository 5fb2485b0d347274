"""Recorded traffic of each provider, read by the format that its client speaks: the last column of the table."""

import json
from collections import Counter

from provider_pages import NAMES, made

from llm_gateway.providers.base import HttpProvider

SAID = {"google-gla": "gemini", "google-vertex": "vertex"}
"""What the manifest calls a provider otherwise."""
ENDLESS = b'"completion_tokens_details":null},"system_fingerprint":"v1","service_tier":null}\n\n'
"""How the one stream ends, of Writer, that has no ``[DONE]``: after its usage. A client says that such a one broke."""


def provider_of(expected, formats):
    """Who would have made this call here; any other host of chat completions is `compatible`; None is nobody."""
    name, api = SAID.get(expected["provider"], expected["provider"]), expected["api"]
    if (name, api) == ("openai", "openai.responses"):
        return "openai_responses"
    if formats.get(name) and formats[name].name == api:
        return name
    return "compatible" if api == "openai.chat" else None


def read(dialect, expected, headers, body):
    """The usage in one recorded reply; none in one that refuses, whose kind and words are there instead."""
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
    """Replies and streams to their tokens, refusals to their words."""
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
    assert {*NAMES} == {*formats, "local_claude"}  # whose runs tests/replay/test_recorded_claude.py reads
    assert counts["openai"] >= 20
