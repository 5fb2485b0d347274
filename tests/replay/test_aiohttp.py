"""Calls of aiohttp, recorded over a real socket and replayed with no server listening."""

import asyncio
import json

import aiohttp
import pytest

from llm_gateway.cassettes.modes import Mode
from llm_gateway.exceptions import CassetteMissError
from llm_gateway.interception.use_cassette import use_cassette


async def whole(url, body):
    async with aiohttp.ClientSession() as session, session.post(url, json=body) as reply:
        return reply.status, await reply.read()


async def chunks(url, body):
    async with aiohttp.ClientSession() as session, session.post(url, json=body) as reply:
        return reply.status, [chunk async for chunk, _ in reply.content.iter_chunks() if chunk]


async def three_on_one_session(url, body):
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit_per_host=2)) as session:

        async def one(number):
            async with session.post(url, json={**body, "n": number}) as reply:
                return await reply.read()

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(number)) for number in range(3)]
        return [task.result() for task in tasks]


@pytest.mark.parametrize("send", [whole, chunks, three_on_one_session])
@pytest.mark.parametrize("text", ["plain", "stream"])
def test_records_and_replays_the_same_bytes(send, text, server, tmp_path):
    """Whole, in chunks, and with several calls at once on one session."""
    url, body = f"{server.url}/v1/chat/completions", {"model": "m", "ask": text}
    with use_cassette(tmp_path / "a.yaml", Mode.RECORD):
        live = asyncio.run(send(url, body))
    server.shutdown()
    server.server_close()
    with use_cassette(tmp_path / "a.yaml"):
        replayed = asyncio.run(send(url, body))

    assert live == replayed


def test_stream_closed_early_is_recorded_partially(server, tmp_path):
    """The part that was read is recorded and replayed."""

    async def first():
        url = f"{server.url}/v1/chat/completions"
        async with aiohttp.ClientSession() as session, session.post(url, json={"a": "stream slowly"}) as reply:
            return await anext(aiter(reply.content.iter_any()))

    with use_cassette(tmp_path / "a.yaml", Mode.RECORD):
        live = asyncio.run(first())
    with use_cassette(tmp_path / "a.yaml"):
        replayed = asyncio.run(first())

    assert replayed.startswith(live[:9])


def test_refused_connection_is_replayed(server, tmp_path):
    """The replayed error is a ClientConnectionError, as the recorded one."""
    server.shutdown()
    server.server_close()
    for mode in (Mode.RECORD, Mode.REPLAY):
        with use_cassette(tmp_path / "a.yaml", mode), pytest.raises(aiohttp.ClientConnectionError):
            asyncio.run(whole(f"{server.url}/v1/chat/completions", {}))


def test_miss_replies_with_the_difference(server, tmp_path):
    """The reply has status 470, and the block raises at its end."""
    url = f"{server.url}/v1/chat/completions"
    with use_cassette(tmp_path / "a.yaml", Mode.RECORD):
        asyncio.run(whole(url, {"a": 1}))
    with pytest.raises(CassetteMissError, match="no recording matches POST"), use_cassette(tmp_path / "a.yaml"):
        status, raw = asyncio.run(whole(url, {"a": 2}))
        assert 470 == status
        assert "differs in a: 2 != 1" in json.loads(raw)["error"]["message"]


def test_data_before_a_disconnect_is_read_first(fake_llm):
    """Without care aiohttp would raise at once and drop unread data."""
    fake_llm.disconnect(after_chunks=3, content="one two three")
    body = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "stream": True}
    came = bytearray()

    async def read():
        url = "https://api.openai.com/v1/chat/completions"
        async with aiohttp.ClientSession() as session, session.post(url, json=body) as reply:
            await asyncio.sleep(0)
            async for chunk in reply.content.iter_any():
                came.extend(chunk)

    with pytest.raises(aiohttp.ClientPayloadError):
        asyncio.run(read())

    assert 3 == bytes(came).count(b"data: ")
