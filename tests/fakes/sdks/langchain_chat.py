"""The models of langchain, which all have the same verbs."""

from contextlib import asynccontextmanager

import anthropic
import httpx2
import openai
from langchain_anthropic import ChatAnthropic
from langchain_openai import ChatOpenAI

from sdks.driver import PROMPT, TOOL, Driver, Report, done


class LangChainOpenAI(Driver):
    name = "langchain-openai"
    model = "gpt-5-mini"
    limited, lost, late = openai.RateLimitError, openai.APIConnectionError, openai.APITimeoutError
    cut = openai.APIConnectionError
    opening = 1

    def make(self, retries):
        return ChatOpenAI(model=self.model, api_key="k", max_retries=retries)

    @asynccontextmanager
    async def client(self, retries=0):
        yield self.make(retries)

    def status(self, error):
        return error.status_code

    def method(self, model, name):
        return getattr(model, f"a{name}" if self.is_async else name)

    async def ask(self, client, *, with_tool=False):
        return await done(self.method(client.bind_tools([TOOL]) if with_tool else client, "invoke")(PROMPT))

    async def ask_object(self, client):
        wanted = client.with_structured_output(Report, method="json_schema")
        return await done(self.method(wanted, "invoke")(PROMPT))

    def stream(self, client, *, with_tool=False):
        return self.method(client.bind_tools([TOOL]) if with_tool else client, "stream")(PROMPT)

    def text(self, reply):
        return reply.text

    def call(self, reply):
        (called,) = reply.tool_calls
        return called["name"], called["args"]

    def usage(self, reply):
        return reply.usage_metadata["input_tokens"], reply.usage_metadata["output_tokens"]

    def chunk_text(self, event):
        return event.text

    def streamed_call(self, events):
        return self.call(self.whole(events))

    def streamed_usage(self, events):
        return self.usage(self.whole(events))

    def whole(self, events):
        first, *rest = events
        return sum(rest, start=first)


class LangChainAnthropic(LangChainOpenAI):
    name = "langchain-anthropic"
    model = "claude-haiku-4-5"
    limited, lost, late = anthropic.RateLimitError, anthropic.APIConnectionError, anthropic.APITimeoutError
    cut = httpx2.ReadError
    opening = 3

    def make(self, retries):
        return ChatAnthropic(model=self.model, api_key="k", max_retries=retries)
