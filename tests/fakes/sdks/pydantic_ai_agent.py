"""pydantic-ai: its agents for objects, its direct requests for all else."""

from contextlib import asynccontextmanager

from anthropic import AsyncAnthropic
from openai import AsyncOpenAI
from pydantic_ai import Agent, ModelRequest, NativeOutput, ToolDefinition, direct, exceptions
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider

from sdks.driver import NAME, PARAMETERS, PROMPT, Driver, Report, done

TOOLS = ModelRequestParameters(function_tools=[ToolDefinition(name=NAME, parameters_json_schema=PARAMETERS)])


class PydanticAI(Driver):
    name = "pydantic-ai openai"
    model = "gpt-5-mini"
    limited = exceptions.ModelHTTPError
    lost = cut = late = exceptions.ModelAPIError
    opening = 1

    def make(self, retries):
        provider = OpenAIProvider(openai_client=AsyncOpenAI(api_key="k", max_retries=retries))
        return OpenAIChatModel(self.model, provider=provider)

    @asynccontextmanager
    async def client(self, retries=0):
        yield self.make(retries)

    def status(self, error):
        return error.status_code

    def arguments(self, *, with_tool=False):
        parameters = {"model_request_parameters": TOOLS} if with_tool else {}
        return {"messages": [ModelRequest.user_text_prompt(PROMPT)], **parameters}

    async def ask(self, client, **options):
        request = direct.model_request if self.is_async else direct.model_request_sync
        return await done(request(client, **self.arguments(**options)))

    async def ask_object(self, client):
        agent = Agent(client, output_type=NativeOutput(Report))
        return (await done((agent.run if self.is_async else agent.run_sync)(PROMPT))).output

    async def events(self, client, **options):
        request = direct.model_request_stream if self.is_async else direct.model_request_stream_sync
        async with self.entered(request(client, **self.arguments(**options))) as stream:
            async for event in self.each(stream):
                yield event
            yield stream.get() if self.is_async else stream.response

    def text(self, reply):
        return reply.text

    def call(self, reply):
        (called,) = reply.tool_calls
        return called.tool_name, called.args_as_dict()

    def usage(self, reply):
        return reply.usage.input_tokens, reply.usage.output_tokens

    def chunk_text(self, event):
        match getattr(event, "event_kind", None):
            case "part_start" if event.part.part_kind == "text":
                return event.part.content
            case "part_delta" if event.delta.part_delta_kind == "text":
                return event.delta.content_delta
        return None

    def streamed_call(self, events):
        return self.call(events[-1])

    def streamed_usage(self, events):
        return self.usage(events[-1])


class PydanticAIAnthropic(PydanticAI):
    name = "pydantic-ai anthropic"
    model = "claude-haiku-4-5"
    opening = 3

    def make(self, retries):
        provider = AnthropicProvider(anthropic_client=AsyncAnthropic(api_key="k", max_retries=retries))
        return AnthropicModel(self.model, provider=provider)
