"""cohere, version 2 of its chat."""

import json

import cohere
import httpx

from sdks.driver import MESSAGES, TOOL, Driver, Report, done


class Cohere(Driver):
    name = "cohere"
    model = "command-a-03-2025"
    limited, wrong = cohere.TooManyRequestsError, cohere.core.ApiError
    lost, cut, late = httpx.RemoteProtocolError, httpx.ReadError, httpx.ReadTimeout
    opening = 2
    parses = False

    def make(self, retries):
        return (cohere.AsyncClientV2 if self.is_async else cohere.ClientV2)(api_key="k", max_retries=retries)

    def status(self, error):
        return error.status_code

    def arguments(self, *, with_tool=False, **options):
        tools = {"tools": [TOOL]} if with_tool else {}
        return {"model": self.model, "messages": MESSAGES, **tools, **options}

    async def ask(self, client, **options):
        return await done(client.chat(**self.arguments(**options)))

    def stream(self, client, **options):
        return client.chat_stream(**self.arguments(**options))

    async def ask_object(self, client):
        wanted = {"type": "json_object", "json_schema": Report.model_json_schema()}
        return self.text(await self.ask(client, response_format=wanted))

    def text(self, reply):
        return reply.message.content[0].text

    def call(self, reply):
        called = reply.message.tool_calls[0].function
        return called.name, json.loads(called.arguments)

    def usage(self, reply):
        return reply.usage.tokens.input_tokens, reply.usage.tokens.output_tokens

    def chunk_text(self, event):
        return event.delta.message.content.text if event.type == "content-delta" else None

    def streamed_call(self, events):
        (start,) = [event.delta.message.tool_calls for event in events if event.type == "tool-call-start"]
        chunks = [event.delta.message.tool_calls for event in events if event.type == "tool-call-delta"]
        return start.function.name, json.loads("".join(chunk.function.arguments for chunk in [start, *chunks]))

    def streamed_usage(self, events):
        return self.usage(events[-1].delta)
