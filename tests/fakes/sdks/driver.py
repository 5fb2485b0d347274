"""What all drivers have: one way to call sync and async clients, so that no verb is written twice."""

import asyncio
import inspect
from contextlib import asynccontextmanager

from pydantic import BaseModel

ASKED = "How is the weather in Oslo?"
MESSAGES = [{"role": "user", "content": ASKED}]
NAME = "look_up"
PARAMETERS = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
TOOL = {"type": "function", "function": {"name": NAME, "description": "Look it up.", "parameters": PARAMETERS}}


class Report(BaseModel):
    city: str
    degrees: int


SCHEMA = {"name": "Report", "schema": Report.model_json_schema()}


class Driver:
    """
    One SDK in one colour.

    Attributes:
        name: Of the row.

        limited, lost, cut, late: What the SDK raises for 429, no connection, the end of it within a stream, a timeout.

        wrong: What it raises for a script that cannot answer.

        opening: How many events a stream has before its first text.

        parses: Whether it makes objects of the class that was asked for; else it hands out their JSON.

        retries: Whether it asks again by itself.
    """

    colours = ("sync", "async")
    parses = retries = True

    def __init__(self, colour):
        self.colour = colour
        self.is_async = colour == "async"

    def __repr__(self):
        return f"{self.name}-{self.colour}"

    @asynccontextmanager
    async def client(self, retries=0):
        """A client, closed in the end; it tries again *retries* times, without waiting where that can be set."""
        async with self.entered(self.make(retries)) as made:
            yield made

    @asynccontextmanager
    async def entered(self, manager):
        """What *manager*, of either colour, gives."""
        if self.is_async:
            async with manager as given:
                yield given
        else:
            with manager as given:
                yield given

    async def events(self, client, **asked):
        """What the SDK gives for each event of a stream."""
        async for event in self.each(await done(self.stream(client, **asked))):
            yield event

    async def each(self, stream):
        """The items of an iterator of either colour, or of one that is both."""
        if self.is_async:
            async for item in stream:
                yield item
        else:
            for item in stream:
                yield item

    def run(self, work):
        """The value of *work*: sync clients never wait, so that it needs no event loop."""
        if self.is_async:
            return asyncio.run(work)
        try:
            work.send(None)
        except StopIteration as ended:
            return ended.value
        raise AssertionError("a sync client waited")


async def done(value):
    """What a call of either colour returned."""
    return await value if inspect.isawaitable(value) else value
