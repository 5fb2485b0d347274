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
from llm_gateway.types import ThinkingPart, ToolCall, WireRequest
from llm_gateway.wire.dialects import find_dialect
from llm_gateway.wire.framing.eventstream import frames
from llm_gateway.wire.framing.reply import objects

PROVIDERS = {"google-gla": "gemini", "google-vertex": "vertex"}
"""Providers by their names in the manifest, where these differ."""
APIS = [
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
"""Recordings of tools that the provider runs, of queued responses, and of enums as numbers."""
IGNORED = re.compile(r"\.reasoning(_content)?$|\.latency_checkpoint")
"""Reasoning texts, and the latency that Azure adds."""
TYPES = {bool: "bool", int: "number", float: "number", str: "string", type(None): "null", list: "list", dict: "object"}


def field_types(value, at="", free=("arguments", "args", "input", "parameters", "schema")):
    """Return each path inside *value* with the types found there; a path of list items only if all items have it."""
    found = {at: {TYPES[type(value)]}}
    if isinstance(value, dict):
        for name, one in value.items():
            found |= {f"{at}.{name}": {TYPES[type(one)]}} if name in free else field_types(one, f"{at}.{name}")
    if isinstance(value, list) and value:
        found |= common([field_types(one, f"{at}[]") for one in value])
    return found


def common(types_of):
    """Return the paths that all have, with the types of any."""
    places = set.intersection(*map(set, types_of))
    return {place: set().union(*(one[place] for one in types_of)) for place in places}


def events(headers, body):
    """Yield the name and the value of each event of a reply."""
    framed = list(frames(body))
    if framed and framed[0].texts[":event-type"] != "chunk":  # a chunk holds the event of another API
        yield from ((one.texts[":event-type"], json.loads(one.payload)) for one in framed)
        return
    for event in objects(tuple(headers), body):
        yield event_name(event), event


def event_name(event):
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
    if api == "openai.chat":  # its official format has no field for reasoning, so that a fake has none either
        parts = tuple(part for part in reply.parts if not isinstance(part, ThinkingPart))
        reply = dataclasses.replace(reply, parts=parts)
    content = dataclasses.replace(reply, id=None, model=None, usage=None)
    return build_exchange(ScriptEntry(Answer(content), "here"), decode_request(1, request), request).reply, reply


def types_of(traffic, provider, api):
    """Return the field types of recorded and of fake replies, by event and by text or tool calls."""
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
                found["whole", kind].append(field_types(json.loads(raw)))
                continue
            for name, one in grouped(events(sent, raw)).items():
                found[name, kind].append(common([field_types(event) for event in one]))
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
                yield f"{key} {place}: {written.get(place)} instead of {types[place]}"


@pytest.mark.parametrize(("provider", "api"), APIS)
def test_fake_replies_have_every_constant_field(traffic, provider, api):
    """A field that all recordings have is in fake texts and tool calls, whole and streamed."""
    real, ours = types_of(traffic, provider, api)

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
    """Embeddings are answered without a script."""
    real, ours = collections.defaultdict(list), collections.defaultdict(list)
    for entry, _ in exchanges(traffic, provider, api):
        real["whole"].append(field_types(json.loads(replied(traffic, entry)[1])))
        ours["whole"].append(field_types(json.loads(FakeLLM().answer(request_of(traffic, entry)).reply.body)))

    assert real
    assert [] == list(missing(real, ours))
