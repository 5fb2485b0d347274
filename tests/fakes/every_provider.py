"""Clients of every provider and of its variants, all connected to one stub server."""

import asyncio
import contextlib
import dataclasses

import anthropic
import openai
from router import Router

from llm_gateway import GatewayConfig, LLMClient, LLMResponse, TokenUsage, list_providers
from llm_gateway.providers import anthropic as anthropic_provider
from llm_gateway.providers import litellm as litellm_provider
from llm_gateway.providers import openai as openai_provider

HTTP = ["anthropic", "openai", "openai_responses"]
BY_SDK = [f"{name} by its SDK" for name in HTTP]
GOOGLE = ["gemini", "vertex"]
OTHER_WAYS = ["azure deployments", "bedrock signed", *BY_SDK, "custom"]
EVERY = [*list_providers(), *OTHER_WAYS]
OVER_HTTP = [name for name in EVERY if name not in ("local_claude", "custom", "litellm")]
"""Those whose replies are read here, byte by byte; litellm reads its own."""
AT_ROOT = ("anthropic", "azure", "bedrock", "cohere", "vertex")
MODELS = {"azure": "my-deployment", "azure deployments": "my-deployment", "compatible": "m", "litellm": "gpt-5-mini"}


class Custom:
    """A provider with only the methods that a custom class must have."""

    closed = 0

    async def complete(self, messages, response_model=None):
        await asyncio.sleep(0)
        prompt = messages[-1].text
        if prompt == "fail":
            raise LookupError("its own words")
        content = prompt.upper() if response_model is None else response_model(answer="forty-two")
        return LLMResponse(content, "custom", "model-1", usage=TokenUsage(11, 7))

    async def close(self):
        self.closed += 1


def sdk_of(name, url, client_class):
    """Return a provider that sends through a client of the official SDK."""
    is_async = client_class is LLMClient
    config = GatewayConfig(api_key="k")
    if name == "anthropic":
        made = (anthropic.AsyncAnthropic if is_async else anthropic.Anthropic)(api_key="k", base_url=url)
        return anthropic_provider.provider(config, client=made)
    made = (openai.AsyncOpenAI if is_async else openai.OpenAI)(api_key="k", base_url=f"{url}/v1")
    factory = openai_provider.responses if name == "openai_responses" else openai_provider.provider
    return factory(config, client=made)


def with_url(made, url):
    """Return the provider *made* with *url* as its address, and as that of its token counter if it has one."""
    counter = made.counter and dataclasses.replace(made.counter, base_url=url)
    return dataclasses.replace(made, base_url=url, counter=counter)


def instance_of(name, url, client_class):
    """Return the provider object of a client that settings alone do not make; None for any other."""
    if name == "custom":
        return Custom()
    if name == "litellm":
        return litellm_provider.provider(GatewayConfig(), client=Router(f"{url}/v1"))
    if name in ("openai", "openai_responses"):
        factory = openai_provider.provider if name == "openai" else openai_provider.responses
        return with_url(factory(GatewayConfig(api_key="k")), f"{url}/v1")
    return sdk_of(name.split(" ")[0], url, client_class) if name in BY_SDK else None


def variables(name):
    """Return the environment variables for a client of *name*."""
    return {
        "LLM_MAX_RETRIES": "0",
        "AWS_REGION": "us-east-1",
        **({"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "k"} if name == "bedrock signed" else {}),
        **({"LLM_API_VERSION": "2025-04-01-preview"} if name == "azure deployments" else {}),
        **({"LLM_PROJECT": "my-project"} if name == "vertex" else {}),
    }


def client(name, url, client_class, **settings):
    """Return a client of *client_class* of a provider, or of one of its variants, that calls *url*."""
    settings["model"] = settings.get("model") or MODELS.get(name)
    made = instance_of(name, url, client_class)
    if made is not None:
        return client_class(provider_instance=made, **settings)
    if name == "local_claude":
        return client_class(provider=name, **settings)
    at = url if name.startswith(AT_ROOT) else f"{url}/v1"
    key = None if name == "bedrock signed" else "k"
    return client_class(provider=name.split(" ")[0], api_key=key, base_url=at, **settings)


def sdk(client):
    """Return the SDK's client behind *client* as a context; an empty context where there is none."""
    found = getattr(client.provider, "client", None)
    return getattr(found, "functions", found) or contextlib.nullcontext()  # of litellm, the stub of its functions


class Caller:
    """The methods of a sync or async client as coroutines, all in one event loop."""

    def __init__(self, client):
        self.client = client
        self._runner = asyncio.Runner() if isinstance(client, LLMClient) else None

    def __call__(self, verb, *args, **options):
        """Call the method *verb* and wait for its result."""
        found = getattr(self.client, verb)(*args, **options)
        return self._runner.run(found) if asyncio.iscoroutine(found) else found

    def stream(self, *args, **options):
        """Return the texts of a stream, and its response."""
        stream = self.client.stream(*args, **options)

        async def read():
            return [delta.text async for delta in stream]

        texts = self._runner.run(read()) if self._runner else [delta.text for delta in stream]
        return texts, stream.response

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self("close")
        owner = sdk(self.client)

        async def leave():
            async with owner:
                pass

        if self._runner is None:
            with owner:
                return
        self._runner.run(leave())
        self._runner.close()
