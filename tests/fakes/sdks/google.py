"""google-genai, which takes aiohttp for its async client where that is installed."""

import ssl

import aiohttp
import httpx2
from google import genai
from google.genai import errors, types

from sdks.driver import NAME, PARAMETERS, PROMPT, Driver, Report, done

TLS = ssl.create_default_context()
"""One for all clients: each makes three of its own otherwise, which takes longer than all else that it does."""


class Google(Driver):
    name = "google-genai"
    model = "gemini-2.5-flash"
    limited = wrong = errors.ClientError
    opening = 0

    def __init__(self, kind):
        super().__init__(kind)
        if self.is_async:
            self.lost, self.cut = aiohttp.ServerDisconnectedError, aiohttp.ClientPayloadError
            self.late = aiohttp.SocketTimeoutError
        else:
            self.lost, self.cut, self.late = httpx2.RemoteProtocolError, httpx2.ReadError, httpx2.ReadTimeout

    def make(self, retries):
        waits = types.HttpRetryOptions(attempts=1 + retries, initial_delay=0, jitter=0)
        options = types.HttpOptions(
            retry_options=waits, client_args={"verify": TLS}, async_client_args={"verify": TLS, "ssl": TLS}
        )
        client = genai.Client(api_key="k", http_options=options)
        return client.aio if self.is_async else client

    def status(self, error):
        return error.code

    def arguments(self, *, with_tool=False, **options):
        function = types.FunctionDeclaration(name=NAME, parameters_json_schema=PARAMETERS)
        tools = {"tools": [types.Tool(function_declarations=[function])]} if with_tool else {}
        return {"model": self.model, "contents": PROMPT, "config": {**tools, **options}}

    async def ask(self, client, **options):
        return await done(client.models.generate_content(**self.arguments(**options)))

    def stream(self, client, **options):
        return client.models.generate_content_stream(**self.arguments(**options))

    async def ask_object(self, client):
        options = {"response_mime_type": "application/json", "response_schema": Report}
        return (await self.ask(client, **options)).parsed

    def text(self, reply):
        return reply.text

    def call(self, reply):
        (called,) = reply.function_calls
        return called.name, called.args

    def usage(self, reply):
        return reply.usage_metadata.prompt_token_count, reply.usage_metadata.candidates_token_count

    def chunk_text(self, event):
        return "".join(part.text or "" for part in event.candidates[0].content.parts or ())

    def streamed_call(self, events):
        (found,) = [event for event in events if event.function_calls]
        return self.call(found)

    def streamed_usage(self, events):
        return self.usage(events[-1])
