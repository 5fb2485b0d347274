"""
What the stub server sends for each provider, written by hand after the providers' own references.

Nothing of the package is used here, so that a mistake in its encoders cannot hide a mistake in its decoders.
The texts, the token counts and the ids are made up.
"""

import json
import struct
import zlib

JSON = {"content-type": "application/json"}
EVENTS = {"content-type": "text/event-stream; charset=utf-8"}
WORDS = ("It ", "is ", "mild ", "in ", "Tromsø: ", "12 °C.")
TEXT = "".join(WORDS)
THOUGHTS = ("The user wants to know ", "about the weather.")
SIGNATURE = "c3R1Yi1zaWduYXR1cmU="
CITY = {"city": "Tromsø"}
CREATED = 1_790_000_000
UNEVEN = (1, 40, 230, 7)
"""Lengths in bytes of the first chunks of a stream that is cut without regard to its events."""


def reply_to(host, path, body, *, is_first=True):
    """
    Return status, headers and chunks for a request; more than one chunk is a stream.

    A request that contains the words "too many" is refused where it *is_first*.
    """
    request = json.loads(body)
    endings = {
        "/v1/responses": responses,
        "/v1/messages": messages,
        "/v2/chat": cohere,
        "/api/chat": ollama,
        "/converse": converse,
        "/converse-stream": converse,
        ":generateContent": gemini,
        ":streamGenerateContent": gemini,
        "/chat/completions": chat,
    }
    answer = next(answer for ending, answer in endings.items() if path.endswith(ending))
    if is_first and b"too many" in body:
        error = {"message": "Rate limit reached", "type": "requests", "param": None, "code": "rate_limit_exceeded"}
        return 429, {**JSON, "retry-after-ms": "1"}, [dumped({"error": error})]
    return answer(host, path, request)


def dumped(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def events(values):
    return [b"data: " + dumped(value) + b"\n\n" for value in values]


def named_events(values):
    return [b"event: %s\ndata: %s\n\n" % (value["type"].encode(), dumped(value)) for value in values]


def chat(host, path, request):
    """Return a chat completion of OpenAI, Groq, Mistral or Together, with the host's own fields."""
    usage = {"prompt_tokens": 21, "completion_tokens": 9, "total_tokens": 30}
    if host == "api.openai.com":
        usage["prompt_tokens_details"] = {"cached_tokens": 0, "audio_tokens": 0}
        usage["completion_tokens_details"] = {"reasoning_tokens": 0, "audio_tokens": 0}
    base = {"id": "chatcmpl-stub", "created": CREATED, "model": request["model"]}
    if not request.get("stream"):
        message = {"role": "assistant", "content": TEXT}
        wants_tool = request.get("tools") and request["messages"][-1]["role"] == "user"
        if wants_tool:
            function = {"name": "look_up", "arguments": dumped(CITY).decode()}
            message |= {"content": None, "tool_calls": [{"id": "call_stub", "type": "function", "function": function}]}
        choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if wants_tool else "stop"}
        return 200, JSON, [dumped({**base, "object": "chat.completion", "choices": [choice], "usage": usage})]
    deltas = [{"role": "assistant", "content": ""}, *({"content": word} for word in WORDS), {}]
    ends = [None] * (len(deltas) - 1) + ["stop"]
    base["object"] = "chat.completion.chunk"
    chunks = [
        {**base, "choices": [{"index": 0, "delta": delta, "finish_reason": end}]}
        for delta, end in zip(deltas, ends, strict=True)
    ]
    if host == "api.groq.com":
        chunks[-1]["x_groq"] = {"id": "req_stub", "usage": usage}
    elif host == "api.openai.com":
        if request.get("stream_options", {}).get("include_usage"):
            chunks.append({**base, "choices": [], "usage": usage})
    else:
        chunks[-1]["usage"] = usage
    whole = [*events(chunks), b"data: [DONE]\n\n"]
    return 200, EVENTS, uneven(b"".join(whole)) if "unevenly" in json.dumps(request) else whole


def uneven(raw):
    """Cut *raw* inside of events, of lines and of the bytes of one character."""
    chunks = []
    for length in UNEVEN:
        chunks.append(raw[:length])
        raw = raw[length:]
    middle = raw.index("ø".encode()) + 1
    return [*chunks, raw[:middle], raw[middle:]]


def responses(host, path, request):
    """Return a reply of OpenAI's Responses API."""
    part = {"type": "output_text", "text": TEXT, "annotations": [], "logprobs": []}
    item = {"id": "msg_stub", "type": "message", "status": "completed", "role": "assistant", "content": [part]}
    usage = {
        "input_tokens": 21,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": 9,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 30,
    }
    begun = {
        "id": "resp_stub",
        "object": "response",
        "created_at": CREATED,
        "status": "in_progress",
        "model": request["model"],
        "output": [],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": None,
    }
    whole = {**begun, "status": "completed", "output": [item], "usage": usage}
    if not request.get("stream"):
        return 200, JSON, [dumped(whole)]
    place = {"item_id": "msg_stub", "output_index": 0, "content_index": 0}
    empty = {**item, "status": "in_progress", "content": []}
    values = [
        {"type": "response.created", "response": begun},
        {"type": "response.output_item.added", "output_index": 0, "item": empty},
        {"type": "response.content_part.added", **place, "part": {**part, "text": ""}},
        *({"type": "response.output_text.delta", **place, "delta": word, "logprobs": []} for word in WORDS),
        {"type": "response.output_text.done", **place, "text": TEXT, "logprobs": []},
        {"type": "response.content_part.done", **place, "part": part},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": whole},
    ]
    return 200, EVENTS, named_events([{**value, "sequence_number": n} for n, value in enumerate(values)])


def messages(host, path, request):
    """Return a message of Anthropic, with thinking where it is enabled, and a part of the prompt from the cache."""
    thinks = "thinking" in request
    usage = {
        "input_tokens": 11,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 10,
        "output_tokens": 29 if thinks else 9,
        "service_tier": "standard",
    }
    thought = {"type": "thinking", "thinking": "".join(THOUGHTS), "signature": SIGNATURE}
    content = [*([thought] if thinks else []), {"type": "text", "text": TEXT}]
    whole = {
        "id": "msg_stub",
        "type": "message",
        "role": "assistant",
        "model": request["model"],
        "content": content,
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": usage,
    }
    if not request.get("stream"):
        return 200, JSON, [dumped(whole)]
    values = [{"type": "message_start", "message": {**whole, "content": [], "stop_reason": None}}]
    for index, block in enumerate(content):
        values += block_events(index, block)
    end = {"stop_reason": "end_turn", "stop_sequence": None}
    values += [{"type": "message_delta", "delta": end, "usage": usage}, {"type": "message_stop"}]
    return 200, EVENTS, named_events(values)


def block_events(index, block):
    """Return the events of one block of a message."""
    if block["type"] == "thinking":
        start = {"type": "thinking", "thinking": "", "signature": ""}
        deltas = [{"type": "thinking_delta", "thinking": words} for words in THOUGHTS]
        deltas.append({"type": "signature_delta", "signature": SIGNATURE})
    else:
        start = {"type": "text", "text": ""}
        deltas = [{"type": "text_delta", "text": word} for word in WORDS]
    return [
        {"type": "content_block_start", "index": index, "content_block": start},
        *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": index},
    ]


def gemini(host, path, request):
    """Return a reply of Gemini's generateContent; the usage of a stream grows from chunk to chunk."""

    def reply(text, output, **more):
        content = {"parts": [{"text": text}], "role": "model"}
        usage = {"promptTokenCount": 21, "candidatesTokenCount": output, "totalTokenCount": 21 + output}
        model = path.rpartition("/")[2].partition(":")[0]
        candidate = {"content": content, "index": 0, **more}
        return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": model, "responseId": "stub"}

    if path.endswith(":generateContent"):
        return 200, JSON, [dumped(reply(TEXT, 9, finishReason="STOP"))]
    chunks = [reply(word, number + 1) for number, word in enumerate(WORDS[:-1])]
    return 200, EVENTS, events([*chunks, reply(WORDS[-1], 9, finishReason="STOP")])


def converse(host, path, request):
    """Return a reply of Bedrock's Converse API, whose streams are binary frames."""
    usage = {"inputTokens": 21, "outputTokens": 9, "totalTokens": 30}
    message = {"role": "assistant", "content": [{"text": TEXT}]}
    if path.endswith("/converse"):
        whole = {"output": {"message": message}, "stopReason": "end_turn", "usage": usage}
        return 200, JSON, [dumped({**whole, "metrics": {"latencyMs": 20}})]
    frames = [
        frame("messageStart", {"role": "assistant"}),
        *(frame("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": word}}) for word in WORDS),
        frame("contentBlockStop", {"contentBlockIndex": 0}),
        frame("messageStop", {"stopReason": "end_turn"}),
        frame("metadata", {"usage": usage, "metrics": {"latencyMs": 20}}),
    ]
    return 200, {"content-type": "application/vnd.amazon.eventstream"}, frames


def frame(kind, payload):
    """Return one message of an AWS event stream: lengths, headers, payload, and a checksum behind each."""
    named = {":event-type": kind, ":content-type": "application/json", ":message-type": "event"}
    headers = b"".join(
        struct.pack(">B", len(name)) + name.encode() + b"\x07" + struct.pack(">H", len(value)) + value.encode()
        for name, value in named.items()
    )
    body = dumped(payload)
    prelude = struct.pack(">II", len(headers) + len(body) + 16, len(headers))
    message = prelude + struct.pack(">I", zlib.crc32(prelude)) + headers + body
    return message + struct.pack(">I", zlib.crc32(message))


def cohere(host, path, request):
    """Return a reply of version 2 of Cohere's chat API."""
    usage = {
        "billed_units": {"input_tokens": 15, "output_tokens": 9},
        "tokens": {"input_tokens": 21, "output_tokens": 9},
    }
    if not request.get("stream"):
        message = {"role": "assistant", "content": [{"type": "text", "text": TEXT}]}
        whole = {"id": "stub", "finish_reason": "COMPLETE", "message": message, "usage": usage}
        return 200, JSON, [dumped(whole)]
    start = {"message": {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}}
    values = [
        {"type": "message-start", "id": "stub", "delta": start},
        {"type": "content-start", "index": 0, "delta": {"message": {"content": {"type": "text", "text": ""}}}},
        *({"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": word}}}} for word in WORDS),
        {"type": "content-end", "index": 0},
        {"type": "message-end", "delta": {"finish_reason": "COMPLETE", "usage": usage}},
    ]
    return 200, EVENTS, named_events(values)


def ollama(host, path, request):
    """Return a reply of Ollama's chat, whose streams are lines of JSON and the default."""
    base = {"model": request["model"], "created_at": "2026-12-01T00:00:00Z"}
    end = {
        "done_reason": "stop",
        "done": True,
        "total_duration": 900_000_000,
        "load_duration": 100_000_000,
        "prompt_eval_count": 21,
        "prompt_eval_duration": 300_000_000,
        "eval_count": 9,
        "eval_duration": 500_000_000,
    }
    if not request.get("stream", True):
        return 200, JSON, [dumped({**base, "message": {"role": "assistant", "content": TEXT}, **end})]
    lines = [{**base, "message": {"role": "assistant", "content": word}, "done": False} for word in WORDS]
    lines.append({**base, "message": {"role": "assistant", "content": ""}, **end})
    return 200, {"content-type": "application/x-ndjson"}, [dumped(line) + b"\n" for line in lines]
