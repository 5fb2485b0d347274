"""
Server on loopback with fixed replies in two formats, in a process of its own so that it adds no time to a client.

It sends a stream as fast as it can; at URLs below ``/paced`` each chunk arrives alone.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

__all__ = ["CHUNKS", "TEXT", "serving"]

CHUNKS = 100
TEXT = "The quick brown fox jumps over the lazy dog. " * 12
_GAP_S = 0.0005
_HEAD = b"HTTP/1.1 200 OK\r\nx-request-id: req_1\r\ncontent-type: "


def _chat() -> bytes:
    message = {"role": "assistant", "content": TEXT, "refusal": None, "annotations": []}
    details = {"prompt_tokens_details": {"cached_tokens": 0}, "completion_tokens_details": {"reasoning_tokens": 0}}
    return _whole(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1790000000,
            "model": "gpt-5-mini-2025-08-07",
            "choices": [{"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}],
            "usage": {"prompt_tokens": 180, "completion_tokens": 140, "total_tokens": 320, **details},
            "service_tier": "default",
        }
    )


def _messages() -> bytes:
    return _whole(
        {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "claude-haiku-4-5-20251001",
            "content": [{"type": "text", "text": TEXT}],
            "stop_reason": "end_turn",
            "stop_sequence": None,
            "usage": {"input_tokens": 180, "output_tokens": 140, "service_tier": "standard"},
        }
    )


def _whole(body: object) -> bytes:
    data = json.dumps(body).encode()
    return _HEAD + b"application/json\r\ncontent-length: %d\r\n\r\n" % len(data) + data


def _chunks() -> Iterator[bytes]:
    """Yield a streamed completion as HTTP chunks: its role, each word, its end and its usage."""
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1790000000, "model": "gpt-5-mini"}
    words = ({"content": f"word{number} "} for number in range(CHUNKS))
    for delta in ({"role": "assistant", "content": ""}, *words):
        yield _event({**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}], "usage": None})
    yield _event({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "usage": None})
    usage = {"prompt_tokens": 180, "completion_tokens": CHUNKS, "total_tokens": 180 + CHUNKS}
    yield _event({**head, "choices": [], "usage": usage})
    yield _http_chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n"


def _event(chunk: object) -> bytes:
    return _http_chunk(b"data: " + json.dumps(chunk).encode() + b"\n\n")


def _http_chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


class _Connection(asyncio.Protocol):
    """Connection of one client, which is answered request by request."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.seen = b""

    def data_received(self, data: bytes) -> None:
        self.seen += data
        head, found, body = self.seen.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
        if found and len(body) >= length:
            self.seen = b""
            self._answer(head, body)

    def _answer(self, head: bytes, body: bytes) -> None:
        if b'"stream":true' in body.replace(b" ", b""):
            self.transport.write(_HEAD + b"text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
            self._stream(iter(HTTP_CHUNKS) if b"/paced/" in head else iter([b"".join(HTTP_CHUNKS)]))
        else:
            self.transport.write(MESSAGES if b"/messages" in head else CHAT)

    def _stream(self, chunks: Iterator[bytes]) -> None:
        chunk = next(chunks, None)
        if chunk is not None:
            self.transport.write(chunk)
            asyncio.get_running_loop().call_later(_GAP_S, self._stream, chunks)


CHAT, MESSAGES, HTTP_CHUNKS = _chat(), _messages(), list(_chunks())


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(_Connection, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextmanager
def serving() -> Iterator[str]:
    """Serve until the block ends; yield the URL without a path."""
    with subprocess.Popen([sys.executable, __file__], stdout=subprocess.PIPE, text=True) as server:
        try:
            yield f"http://127.0.0.1:{server.stdout.readline().strip()}"
        finally:
            server.kill()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve())
