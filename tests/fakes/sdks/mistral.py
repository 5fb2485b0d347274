"""mistralai, whose client has sync and async methods."""

import json

import httpx2
from mistralai.client import Mistral as Client
from mistralai.client import errors
from mistralai.client.utils import BackoffStrategy, RetryConfig

from sdks.driver import MESSAGES, TOOL, Driver, Report, done


class Mistral(Driver):
    name = "mistralai"
    model = "mistral-small-latest"
    limited = wrong = errors.SDKError
    lost, cut, late = httpx2.RemoteProtocolError, httpx2.ReadError, httpx2.ReadTimeout
    opening = 1

    def make(self, retries):
        waits = BackoffStrategy(1, 1, 1, 1000 * retries, jitter_ms=0)
        return Client(api_key="k", retry_config=RetryConfig("backoff", waits, False) if retries else None)

    def status(self, error):
        return error.status_code

    def method(self, client, name):
        return getattr(client.chat, f"{name}_async" if self.is_async else name)

    def arguments(self, *, with_tool=False, **options):
        tools = {"tools": [TOOL]} if with_tool else {}
        return {"model": self.model, "messages": MESSAGES, **tools, **options}

    async def ask(self, client, **options):
        return await done(self.method(client, "complete")(**self.arguments(**options)))

    def stream(self, client, **options):
        return self.method(client, "stream")(**self.arguments(**options))

    async def ask_object(self, client):
        reply = await done(self.method(client, "parse")(Report, **self.arguments()))
        return reply.choices[0].message.parsed

    def text(self, reply):
        return reply.choices[0].message.content

    def call(self, reply):
        called = reply.choices[0].message.tool_calls[0].function
        return called.name, json.loads(called.arguments)

    def usage(self, reply):
        return reply.usage.prompt_tokens, reply.usage.completion_tokens

    def chunk_text(self, event):
        return event.data.choices[0].delta.content

    def streamed_call(self, events):
        (called,) = [call.function for event in events for call in event.data.choices[0].delta.tool_calls or ()]
        return called.name, json.loads(called.arguments)

    def streamed_usage(self, events):
        return self.usage(events[-1].data)
