"""aiohttp records over a real socket and replays with nothing listening."""

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
        return reply.status, [piece async for piece, _ in reply.content.iter_chunks() if piece]


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
def test_it_records_and_replays_the_same_bytes(send, text, server, tmp_path):
    """Whole, in pieces, and several at once on one session."""
    url, body = f"{server.url}/v1/chat/completions", {"model": "m", "ask": text}
    with use_cassette(tmp_path / "a.yaml", Mode.RECORD):
        live = asyncio.run(send(url, body))
    server.shutdown()
    server.server_close()
    with use_cassette(tmp_path / "a.yaml"):
        replayed = asyncio.run(send(url, body))

    assert live == replayed


def test_an_early_break_is_partial(server, tmp_path):
    """A caller that stops reading has recorded what it saw, and replays it."""

    async def first():
        url = f"{server.url}/v1/chat/completions"
        async with aiohttp.ClientSession() as session, session.post(url, json={"a": "stream slowly"}) as reply:
            return await anext(aiter(reply.content.iter_any()))

    with use_cassette(tmp_path / "a.yaml", Mode.RECORD):
        live = asyncio.run(first())
    with use_cassette(tmp_path / "a.yaml"):
        replayed = asyncio.run(first())

    assert replayed.startswith(live[:9])


def test_a_refused_connection_is_raised_again(server, tmp_path):
    """The error that aiohttp raises for it is of the same family when replayed."""
    server.shutdown()
    server.server_close()
    for mode in (Mode.RECORD, Mode.REPLAY):
        with use_cassette(tmp_path / "a.yaml", mode), pytest.raises(aiohttp.ClientConnectionError):
            asyncio.run(whole(f"{server.url}/v1/chat/completions", {}))


def test_a_miss_carries_the_diagnosis(server, tmp_path):
    """The reply says what differs, and the block fails at its end."""
    url = f"{server.url}/v1/chat/completions"
    with use_cassette(tmp_path / "a.yaml", Mode.RECORD):
        asyncio.run(whole(url, {"a": 1}))
    with pytest.raises(CassetteMissError, match="no recording matches POST"), use_cassette(tmp_path / "a.yaml"):
        status, raw = asyncio.run(whole(url, {"a": 2}))
        assert 470 == status
        assert "differs in a: 2 != 1" in json.loads(raw)["error"]["message"]


def test_what_came_before_the_end_is_read_before_the_error(fake_llm):
    """Aiohttp raises at once what is wrong with a body, whatever of it is unread."""
    fake_llm.disconnect(after_chunks=3, content="one two three")
    body = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "stream": True}
    came = bytearray()

    async def read():
        url = "https://api.openai.com/v1/chat/completions"
        async with aiohttp.ClientSession() as session, session.post(url, json=body) as reply:
            await asyncio.sleep(0)
            async for piece in reply.content.iter_any():
                came.extend(piece)

    with pytest.raises(aiohttp.ClientPayloadError):
        asyncio.run(read())

    assert 3 == bytes(came).count(b"data: ")
