"""litellm, whose objects are openai's; each of its calls is a function."""

from contextlib import asynccontextmanager

import litellm

from sdks.driver import MESSAGES, SCHEMA, TOOL, done
from sdks.openai_chat import OpenAI


class LiteLLM(OpenAI):
    limited, lost, late = litellm.RateLimitError, litellm.InternalServerError, litellm.Timeout
    cut = litellm.exceptions.MidStreamFallbackError
    parses = False

    def __init__(self, kind, model="openai/gpt-5-mini"):
        super().__init__(kind)
        self.model_name, self.model = model, model.partition("/")[2]
        self.name = f"litellm {model.partition('/')[0]}"

    @asynccontextmanager
    async def client(self, retries=0):
        yield {"api_key": "k", "num_retries": retries, "max_retries": 0}

    async def ask(self, client, *, with_tool=False, **options):
        tools = {"tools": [TOOL]} if with_tool else {}
        complete = litellm.acompletion if self.is_async else litellm.completion
        return await done(complete(model=self.model_name, messages=MESSAGES, **tools, **client, **options))

    async def ask_object(self, client):
        schema = {"type": "json_schema", "json_schema": SCHEMA}
        return self.text(await self.ask(client, response_format=schema))

    def streamed_usage(self, events):
        (usage,) = [event.usage for event in events if getattr(event, "usage", None)]
        return usage.prompt_tokens, usage.completion_tokens


class LiteLLMAnthropic(LiteLLM):
    opening = 3

    def __init__(self, kind):
        super().__init__(kind, "anthropic/claude-haiku-4-5")
