"""Reuse of a connection after a stream."""

import asyncio
import contextlib

import pytest

from llm_gateway import GatewayConfig, LLMClient

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
CHUNK = b'data: {"model": "m", "choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": "stop"}]}\n\n'
DONE = b"data: [DONE]\n\n"


def streamed(end):
    """Return the texts of two streams and how many connections they took; each reply ends with *end*."""
    opened = []

    async def answer(reader, writer):
        opened.append(writer)
        with contextlib.suppress(asyncio.IncompleteReadError):  # the client has left
            while head := await reader.readuntil(b"\r\n\r\n"):
                await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]))
                writer.writelines([HEAD, *(b"%x\r\n%s\r\n" % (len(one), one) for one in (CHUNK, DONE))])
                await asyncio.sleep(0)
                writer.write(end)

    async def go():
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        config = GatewayConfig(provider="openai", api_key="k", base_url=base, idle_timeout_s=600)
        async with (
            asyncio.timeout(60),
            LLMClient(config) as llm,
        ):
            found = [[delta.text async for delta in llm.stream("hello")] for _ in range(2)]
        server.close()
        for writer in opened:
            writer.close()
        return found, len(opened)

    return asyncio.run(go())


@pytest.mark.parametrize(("end", "connections"), [(b"0\r\n\r\n", 1), (b"", 2)])
def test_a_stream_that_ends_leaves_its_connection_to_the_next(end, connections):
    """A stream that its server holds open after the last event delays no caller."""
    assert ([["Hi"], ["Hi"]], connections) == streamed(end)
