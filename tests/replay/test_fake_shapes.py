"""Fake replies have every field that the recorded replies of the same API always have, with the same type."""

import collections
import dataclasses
import json
import re

import pytest

from llm_gateway.fakes import FakeLLM
from llm_gateway.fakes.http_reply import build_exchange
from llm_gateway.fakes.outcome import Answer, ScriptEntry
from llm_gateway.fakes.request import decode_request
from llm_gateway.types import ToolCall, WireRequest
from llm_gateway.wire.dialects import find_dialect
from llm_gateway.wire.framing.eventstream import frames
from llm_gateway.wire.framing.reply import objects

PROVIDERS = {"google-gla": "gemini", "google-vertex": "vertex"}
"""Names of the manifest that differ from ours."""
SHAPED = [
    ("anthropic", "anthropic.messages"),
    ("azure", "openai.chat"),
    ("bedrock", "bedrock.converse"),
    ("bedrock", "bedrock.invoke"),
    ("cohere", "cohere.v2.chat"),
    ("deepseek", "openai.chat"),
    ("google-gla", "gemini.generate"),
    ("google-vertex", "gemini.generate"),
    ("groq", "openai.chat"),
    ("mistral", "openai.chat"),
    ("ollama", "ollama.chat"),
    ("openai", "openai.chat"),
    ("openai", "openai.responses"),
    ("openrouter", "openai.chat"),
    ("together", "openai.chat"),
]
UNUSUAL = re.compile(rb'tool_search_call|response.queued|"status": ?"queued"|enum-encoding')
"""Recordings of tools that the provider runs, answers fetched later, and numbers in place of words."""
IGNORED = re.compile(r"\.reasoning(_content)?$|\.latency_checkpoint")
"""Reasoning of models, and the latency of Azure."""
TYPES = {bool: "bool", int: "number", float: "number", str: "string", type(None): "null", list: "list", dict: "object"}


def shape(value, at="", free=("arguments", "args", "input", "parameters", "schema")):
    """Each place inside *value*, with the types found there; a place of a list's items is there if all have it."""
    found = {at: {TYPES[type(value)]}}
    if isinstance(value, dict):
        for name, one in value.items():
            found |= {f"{at}.{name}": {TYPES[type(one)]}} if name in free else shape(one, f"{at}.{name}")
    if isinstance(value, list) and value:
        found |= common([shape(one, f"{at}[]") for one in value])
    return found


def common(shapes):
    """The places that all have, with the types of any."""
    places = set.intersection(*map(set, shapes))
    return {place: set().union(*(one[place] for one in shapes)) for place in places}


def events(headers, body):
    """Each event of a reply, by what it is called."""
    framed = list(frames(body))
    if framed and framed[0].texts[":event-type"] != "chunk":  # a chunk holds the event of another API
        yield from ((one.texts[":event-type"], json.loads(one.payload)) for one in framed)
        return
    for event in objects(tuple(headers), body):
        yield called(event), event


def called(event):
    if "choices" in event:
        choice = next(iter(event["choices"]), None)
        if choice is None or event.get("object") == "":
            return "usage" if event.get("usage") else "head"
        delta = choice["delta"]
        kind = "end" if choice.get("finish_reason") else "calls" if delta.get("tool_calls") else None
        return kind or next((name for name in ("content", "role") if delta.get(name)), "none")
    if "candidates" in event or "done" in event:
        ended = event.get("done") or any(one.get("finishReason") for one in event.get("candidates", ()))
        return "end" if ended else "part"
    inner = (event.get(name) for name in ("delta", "content_block", "item", "part"))
    return "/".join([event["type"], *(one["type"] for one in inner if isinstance(one, dict) and "type" in one)])


def exchanges(traffic, provider, api):
    for row in traffic.manifest:
        wanted = {one["index"]: one for one in row["expected"] if (one["provider"], one["api"]) == (provider, api)}
        for index, entry in traffic.load(row["file"]) if wanted else ():
            others = api == "bedrock.invoke" and b"anthropic_version" not in request_of(traffic, entry).body
            if index in wanted and wanted[index]["status"] == 200 and not others:
                yield entry, wanted[index]["streaming"]


def replied(traffic, entry):
    headers = traffic.headers_of(entry["response"])
    return headers, traffic.plain(traffic.body_of(entry["response"]), headers)


def request_of(traffic, entry):
    body = traffic.plain(traffic.body_of(entry["request"]), traffic.headers_of(entry["request"]))
    return WireRequest(entry["request"]["method"], entry["request"]["uri"], (), body)


def faked(request, api, headers, body, *, streamed):
    """Return a fake's reply to *request* with the content of the recorded one, and the recorded one decoded."""
    dialect = find_dialect(api)
    if streamed:
        decoder = dialect.stream_decoder()
        decoder.feed(body)
        reply = decoder.reply()
    else:
        reply = dialect.decode_reply(json.loads(body))
    content = dataclasses.replace(reply, id=None, model=None, usage=None)
    return build_exchange(ScriptEntry(Answer(content), "here"), decode_request(1, request), request).reply, reply


def shapes(traffic, provider, api):
    """By streamed or not, kind of answer and kind of event: what real replies hold, and what fakes do."""
    real, ours = collections.defaultdict(list), collections.defaultdict(list)
    for entry, streamed in exchanges(traffic, provider, api):
        (headers, body), request = replied(traffic, entry), request_of(traffic, entry)
        if UNUSUAL.search(request.url.encode() + body):
            continue
        made, reply = faked(request, api, headers, body, streamed=streamed)
        kind = "calls" if any(isinstance(part, ToolCall) for part in reply.parts) else "text"
        if not reply.parts:
            continue
        for found, (sent, raw) in ((real, (headers, body)), (ours, (made.headers, made.body))):
            if not streamed:
                found["whole", kind].append(shape(json.loads(raw)))
                continue
            for name, one in grouped(events(sent, raw)).items():
                found[name, kind].append(common([shape(event) for event in one]))
    return real, ours


def grouped(named):
    found = collections.defaultdict(list)
    for name, event in named:
        if name != "none":  # a chunk of reasoning, which the format has no official place for
            found[name].append(event)
    return found


def missing(real, ours):
    """Return the fields that fakes lack; a field may have any type that it has in some recording of the provider."""
    types = collections.defaultdict(set)
    for one in (one for seen in real.values() for one in seen):
        for place, found in one.items():
            types[place] |= found
    for key, seen in sorted(real.items()):
        if key not in ours:
            yield f"{key}: no such event"
            continue
        written = common(ours[key])
        for place in sorted(place for place in common(seen) if not IGNORED.search(place)):
            if not written.get(place, {"nothing"}) <= types[place]:
                yield f"{key} {place}: {written.get(place)} in place of {types[place]}"


@pytest.mark.parametrize(("provider", "api"), SHAPED)
def test_a_fake_has_every_field_that_is_always_there(traffic, provider, api):
    """Streamed or not, in answers of text and in calls of tools."""
    real, ours = shapes(traffic, provider, api)

    assert real
    assert [] == list(missing(real, ours))


@pytest.mark.parametrize(
    ("provider", "api"),
    [
        ("cohere", "cohere.v2.embed"),
        ("google-gla", "gemini.embed"),
        ("google-vertex", "vertex.predict"),
        ("mistral", "openai.embeddings"),
        ("ollama", "ollama.embed"),
        ("openai", "openai.embeddings"),
        ("voyageai", "voyage.embeddings"),
    ],
)
def test_fake_embeddings_have_every_field(traffic, provider, api):
    """They need no script."""
    real, ours = collections.defaultdict(list), collections.defaultdict(list)
    for entry, _ in exchanges(traffic, provider, api):
        real["whole"].append(shape(json.loads(replied(traffic, entry)[1])))
        ours["whole"].append(shape(json.loads(FakeLLM().answer(request_of(traffic, entry)).reply.body)))

    assert real
    assert [] == list(missing(real, ours))
