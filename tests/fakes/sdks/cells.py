"""The columns: what a script lets a model do, seen through the objects of the SDK. Each gives the words of its cell."""

import pytest

from llm_gateway.types import ToolCall
from sdks.driver import NAME, PROMPT, Report

ANSWER = "It is mild: 12 °C."
CALLED = ToolCall("call_1", NAME, {"city": "Tromsø"})
WEATHER = Report(city="Oslo", degrees=12)


async def text(sdk, fake):
    fake.reply(ANSWER)
    async with sdk.client() as client:
        reply = await sdk.ask(client)
    assert ANSWER == sdk.text(reply)
    assert (sdk.model, PROMPT) == (fake.last.model, fake.last.text)
    return "yes"


async def tool(sdk, fake):
    fake.reply(CALLED)
    async with sdk.client() as client:
        reply = await sdk.ask(client, with_tool=True)
    assert (NAME, {"city": "Tromsø"}) == sdk.call(reply)
    assert [NAME] == [one.name for one in fake.last.tools]
    return "yes"


async def structured(sdk, fake):
    """Check an object of the class, or its JSON where the SDK does not parse it."""
    fake.reply(WEATHER)
    async with sdk.client() as client:
        found = await sdk.ask_object(client)
    assert set(Report.model_fields) == set(fake.last.params["response_schema"]["properties"])
    assert WEATHER == (found if sdk.parses else Report.model_validate_json(found))
    return "parsed" if sdk.parses else "as JSON"


async def stream(sdk, fake):
    fake.stream(["It is ", "mild: ", "12 °C."])
    async with sdk.client() as client:
        chunks = [sdk.chunk_text(event) async for event in sdk.events(client)]
    assert ["It is ", "mild: ", "12 °C."] == [chunk for chunk in chunks if chunk]
    assert fake.last.is_streaming
    return "yes"


async def streamed_tool(sdk, fake):
    fake.reply(["I look. ", CALLED])
    async with sdk.client() as client:
        events = [event async for event in sdk.events(client, with_tool=True)]
    assert "I look. " == "".join(sdk.chunk_text(event) or "" for event in events)
    assert (NAME, {"city": "Tromsø"}) == sdk.streamed_call(events)
    return "yes"


async def usage(sdk, fake):
    """Check the usage of a whole reply and of a stream."""
    fake.reply(ANSWER).usage(input=100, output=20).reply(ANSWER).usage(input=200, output=30)
    async with sdk.client() as client:
        whole = sdk.usage(await sdk.ask(client))
        events = [event async for event in sdk.events(client)]
    assert (100, 20) == whole
    assert (200, 30) == sdk.streamed_usage(events)
    return "yes"


async def limited(sdk, fake):
    """Check that a rate limit is retried by the SDK, or else raised and a second call answered."""
    fake.error(429, retry_after=0.001, then=ANSWER)
    async with sdk.client(retries=1) as client:
        if sdk.retries:
            reply = await sdk.ask(client)
        else:
            with pytest.raises(sdk.limited) as caught:
                await sdk.ask(client)
            assert 429 == sdk.status(caught.value)
            reply = await sdk.ask(client)
    assert ANSWER == sdk.text(reply)
    assert 2 == len(fake.calls)
    return "retried" if sdk.retries else "by hand"


async def disconnect(sdk, fake):
    fake.disconnect(then=ANSWER)
    async with sdk.client() as client:
        with pytest.raises(sdk.lost) as caught:
            await sdk.ask(client)
        assert ANSWER == sdk.text(await sdk.ask(client))
    return caught.type.__name__


async def cut(sdk, fake):
    """Check that the chunks before the disconnection arrive."""
    fake.disconnect(after_chunks=sdk.opening + 2, content="one two three four")
    came = []
    async with sdk.client() as client:
        with pytest.raises(sdk.cut) as caught:
            async for event in sdk.events(client):
                came.append(sdk.chunk_text(event))  # noqa: PERF401  what came before it raised
    assert "one two " == "".join(chunk or "" for chunk in came)
    return caught.type.__name__


async def timeout(sdk, fake):
    fake.timeout(then=ANSWER)
    async with sdk.client() as client:
        with pytest.raises(sdk.late) as caught:
            await sdk.ask(client)
        assert ANSWER == sdk.text(await sdk.ask(client))
    return caught.type.__name__


CELLS = {
    "text": text,
    "tool": tool,
    "object": structured,
    "stream": stream,
    "tool in a stream": streamed_tool,
    "usage": usage,
    "429, then ok": limited,
    "disconnect": disconnect,
    "cut": cut,
    "timeout": timeout,
}
