"""What all drivers have: one way to call sync and async clients, so that no verb is written twice."""

import asyncio
import inspect
from contextlib import asynccontextmanager

from pydantic import BaseModel

PROMPT = "How is the weather in Oslo?"
MESSAGES = [{"role": "user", "content": PROMPT}]
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
    One SDK in one kind.

    Attributes:
        name: Of the row.

        limited, lost, cut, late: What the SDK raises for 429, no connection, the end of it within a stream, a timeout.

        wrong: What it raises for a script that cannot answer.

        opening: How many events a stream has before its first text.

        parses: Whether it returns objects of the requested class, or only their JSON.

        retries: Whether it retries by itself.
    """

    kinds = ("sync", "async")
    parses = retries = True

    def __init__(self, kind):
        self.kind = kind
        self.is_async = kind == "async"

    def __repr__(self):
        return f"{self.name}-{self.kind}"

    @asynccontextmanager
    async def client(self, retries=0):
        """Yield a client with *retries* retries, without waits where the SDK has a setting for them; close it."""
        async with self.entered(self.make(retries)) as made:
            yield made

    @asynccontextmanager
    async def entered(self, manager):
        """Yield the value of *manager*, a sync or async context manager."""
        if self.is_async:
            async with manager as given:
                yield given
        else:
            with manager as given:
                yield given

    async def events(self, client, **options):
        """Yield the SDK's object for each event of a stream."""
        async for event in self.each(await done(self.stream(client, **options))):
            yield event

    async def each(self, stream):
        """Yield the items of a sync or async iterator, or of one that is both."""
        if self.is_async:
            async for item in stream:
                yield item
        else:
            for item in stream:
                yield item

    def run(self, work):
        """Return the value of *work*; with sync clients it never waits, so it needs no event loop."""
        if self.is_async:
            return asyncio.run(work)
        try:
            work.send(None)
        except StopIteration as ended:
            return ended.value
        raise AssertionError("a sync client waited")


async def done(value):
    """Return the result of a sync or async call."""
    return await value if inspect.isawaitable(value) else value
