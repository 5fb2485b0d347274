"""anthropic, by its own accumulated messages where it streams."""

import anthropic
import httpx2

from sdks.driver import MESSAGES, NAME, PARAMETERS, Driver, Report, done


class Anthropic(Driver):
    name = "anthropic"
    model = "claude-haiku-4-5"
    wrong = anthropic.APIStatusError
    limited, lost, late = anthropic.RateLimitError, anthropic.APIConnectionError, anthropic.APITimeoutError
    cut = httpx2.ReadError
    opening = 3

    def make(self, retries):
        return (anthropic.AsyncAnthropic if self.is_async else anthropic.Anthropic)(api_key="k", max_retries=retries)

    def status(self, error):
        return error.status_code

    def arguments(self, *, with_tool=False, **options):
        tools = {"tools": [{"name": NAME, "input_schema": PARAMETERS}]} if with_tool else {}
        return {"model": self.model, "max_tokens": 99, "messages": MESSAGES, **tools, **options}

    async def ask(self, client, **options):
        return await done(client.messages.create(**self.arguments(**options)))

    async def ask_object(self, client):
        return (await done(client.messages.parse(**self.arguments(output_format=Report)))).parsed_output

    async def events(self, client, **options):
        async with self.entered(client.messages.stream(**self.arguments(**options))) as stream:
            async for event in self.each(stream):
                yield event

    def text(self, reply):
        return reply.content[0].text

    def call(self, reply):
        (block,) = [block for block in reply.content if block.type == "tool_use"]
        return block.name, block.input

    def usage(self, reply):
        return reply.usage.input_tokens, reply.usage.output_tokens

    def chunk_text(self, event):
        return event.text if event.type == "text" else None

    def streamed_call(self, events):
        return self.call(events[-1].message)

    def streamed_usage(self, events):
        return self.usage(events[-1].message)
