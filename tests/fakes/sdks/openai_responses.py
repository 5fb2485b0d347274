"""openai's responses, by its own accumulated response where it streams."""

import json

import openai

from sdks.driver import NAME, PARAMETERS, PROMPT, Driver, Report, done


class Responses(Driver):
    name = "openai responses"
    model = "gpt-5-mini"
    wrong = openai.APIStatusError
    limited, lost, late = openai.RateLimitError, openai.APIConnectionError, openai.APITimeoutError
    cut = openai.APIConnectionError
    opening = 4

    def make(self, retries):
        return (openai.AsyncOpenAI if self.is_async else openai.OpenAI)(api_key="k", max_retries=retries)

    def status(self, error):
        return error.status_code

    def arguments(self, *, with_tool=False, **options):
        tools = {"tools": [{"type": "function", "name": NAME, "parameters": PARAMETERS, "strict": True}]}
        return {"model": self.model, "input": PROMPT, **(tools if with_tool else {}), **options}

    async def ask(self, client, **options):
        return await done(client.responses.create(**self.arguments(**options)))

    async def ask_object(self, client):
        return (await done(client.responses.parse(**self.arguments(text_format=Report)))).output_parsed

    async def events(self, client, **options):
        async with self.entered(client.responses.stream(**self.arguments(**options))) as stream:
            async for event in self.each(stream):
                yield event

    def text(self, reply):
        return reply.output_text

    def call(self, reply):
        (item,) = [item for item in reply.output if item.type == "function_call"]
        return item.name, json.loads(item.arguments)

    def usage(self, reply):
        return reply.usage.input_tokens, reply.usage.output_tokens

    def chunk_text(self, event):
        return event.delta if event.type == "response.output_text.delta" else None

    def streamed_call(self, events):
        return self.call(events[-1].response)

    def streamed_usage(self, events):
        return self.usage(events[-1].response)
