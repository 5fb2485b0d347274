"""An error in the middle of a stream, as each API sends one after it has said 200."""

from __future__ import annotations

import json

from llm_gateway.exceptions import FakeScriptError
from llm_gateway.types import WireReply
from llm_gateway.wire import eventstream, sse

__all__ = ["error_event"]

_AWS = frozenset({"bedrock.converse", "bedrock.invoke"})


def error_event(api: str, refused: WireReply) -> bytes:
    """
    The event that says inside a stream of *api* what the reply *refused* says instead of one.

    Raises:
        FakeScriptError: The API has no such event.
    """
    body = refused.body.decode()
    match api:
        case "anthropic.messages":
            return sse.encode("error", body)
        case "openai.chat" | "gemini.generate":
            return sse.encode(None, body)
        case "openai.responses":
            return sse.encode("error", json.dumps(_flat(body)))
        case "ollama.chat":
            return f"{body}\n".encode()
        case _ if api in _AWS:
            name = refused.header("x-amzn-errortype") or "InternalServerException"
            headers = {":message-type": "exception", ":exception-type": name[:1].lower() + name[1:]}
            return eventstream.encode({**headers, ":content-type": "application/json"}, refused.body)
    raise FakeScriptError(
        f"{api} has no event for an error inside a stream",
        cause="it ends a stream by closing it",
        fix="fake_llm.disconnect(after_chunks=...)",
    )


def _flat(body: str) -> dict[str, object]:
    error = json.loads(body)["error"]
    told = {name: error.get(name) for name in ("code", "message", "param")}
    return {"type": "error", **told, "sequence_number": 0}
