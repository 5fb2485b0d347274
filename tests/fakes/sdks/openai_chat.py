"""openai's chat, and what other SDKs have taken from it."""

import json

import openai

from sdks.driver import MESSAGES, TOOL, Driver, Report, done


class OpenAI(Driver):
    name = "openai"
    model = "gpt-5-mini"
    clients = (openai.OpenAI, openai.AsyncOpenAI)
    wrong = openai.APIStatusError
    limited, lost, late = openai.RateLimitError, openai.APIConnectionError, openai.APITimeoutError
    cut = openai.APIConnectionError
    opening = 1

    def make(self, retries):
        return self.clients[self.is_async](api_key="k", max_retries=retries)

    def status(self, error):
        return error.status_code

    async def ask(self, client, *, with_tool=False, **options):
        tools = {"tools": [TOOL]} if with_tool else {}
        return await done(client.chat.completions.create(model=self.model, messages=MESSAGES, **tools, **options))

    def stream(self, client, **options):
        return self.ask(client, stream=True, stream_options={"include_usage": True}, **options)

    async def ask_object(self, client):
        reply = await done(client.chat.completions.parse(model=self.model, messages=MESSAGES, response_format=Report))
        return reply.choices[0].message.parsed

    def text(self, reply):
        return reply.choices[0].message.content

    def call(self, reply):
        called = reply.choices[0].message.tool_calls[0].function
        return called.name, json.loads(called.arguments)

    def usage(self, reply):
        return reply.usage.prompt_tokens, reply.usage.completion_tokens

    def chunk_text(self, event):
        return event.choices[0].delta.content if event.choices else None

    def streamed_call(self, events):
        deltas = [event.choices[0].delta for event in events if event.choices]
        chunks = [call.function for delta in deltas for call in delta.tool_calls or ()]
        return chunks[0].name, json.loads("".join(chunk.arguments or "" for chunk in chunks))

    def streamed_usage(self, events):
        (usage,) = [event.usage for event in events if event.usage]
        return usage.prompt_tokens, usage.completion_tokens
