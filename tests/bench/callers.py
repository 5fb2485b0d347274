"""
Clients that are compared, and the process that measures some of them in turn.

Run as ``python callers.py URL NAME...`` by an interpreter that has their packages; it prints one JSON object. It
imports nothing else of the benchmark, since litellm needs an environment of its own.
"""

from __future__ import annotations

import asyncio
import json
import random
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

PROMPT = "Describe the quick brown fox and the lazy dog, and everything that they did. " * 8
MESSAGES: list[Any] = [{"role": "user", "content": PROMPT}]
MODELS = {"openai": "gpt-5-mini", "anthropic": "claude-haiku-4-5"}
ROUNDS, CALLS = 8, 64
AT_ONCE = (1, 32)

Caller = Callable[[], Awaitable[str]]


def raw(base: str, provider: str) -> Caller:
    """Return a call with httpx2 alone: it sends prepared bytes and reads the reply's text."""
    import httpx2

    client = httpx2.AsyncClient()
    body = json.dumps({"model": MODELS[provider], "max_tokens": 1000, "messages": MESSAGES}).encode()
    path = {"openai": "/v1/chat/completions", "anthropic": "/v1/messages"}[provider]
    headers = {"content-type": "application/json", "authorization": "Bearer x"}

    async def call() -> str:
        return (await client.post(base + path, content=body, headers=headers)).text

    return call


def ours(base: str, provider: str) -> Caller:
    """Return a call with the package's own client."""
    from llm_gateway import LLMClient

    root = f"{base}/v1" if provider == "openai" else base
    client = LLMClient(provider=provider, model=MODELS[provider], api_key="x", base_url=root)

    async def call() -> str:
        return (await client.chat(MESSAGES, max_tokens=1000)).content

    return call


def sdk(base: str, provider: str) -> Caller:
    """Return a call with the provider's official SDK."""
    if provider == "openai":
        from openai import AsyncOpenAI

        openai = AsyncOpenAI(api_key="x", base_url=f"{base}/v1", max_retries=0)

        async def call() -> str:
            done = await openai.chat.completions.create(
                model=MODELS[provider], messages=MESSAGES, max_completion_tokens=1000
            )
            return str(done.choices[0].message.content)

        return call
    from anthropic import AsyncAnthropic

    anthropic = AsyncAnthropic(api_key="x", base_url=base, max_retries=0)

    async def call_anthropic() -> str:
        done = await anthropic.messages.create(model=MODELS[provider], messages=MESSAGES, max_tokens=1000)
        return done.content[0].text

    return call_anthropic


def litellm(base: str, provider: str) -> Caller:
    """Return a call with litellm."""
    import litellm as package

    root = f"{base}/v1" if provider == "openai" else base
    fixed = {"model": f"{provider}/{MODELS[provider]}", "messages": MESSAGES, "max_tokens": 1000}

    async def call() -> str:
        done = await package.acompletion(**fixed, api_base=root, api_key="x", num_retries=0)
        return str(done.choices[0].message.content)

    return call


def ours_streamed(base: str, provider: str) -> Caller:
    """Return a stream with the package's own client, its text joined."""
    from llm_gateway import LLMClient

    client = LLMClient(provider=provider, model=MODELS[provider], api_key="x", base_url=f"{base}/v1")

    async def call() -> str:
        return "".join([delta.text async for delta in client.stream(MESSAGES, max_tokens=1000)])

    return call


def sdk_streamed(base: str, provider: str) -> Caller:
    """Return the same stream with the official SDK, which requests usage as the client does."""
    from openai import AsyncOpenAI

    client = AsyncOpenAI(api_key="x", base_url=f"{base}/v1", max_retries=0)

    async def call() -> str:
        stream = await client.chat.completions.create(
            model=MODELS[provider],
            messages=MESSAGES,
            max_completion_tokens=1000,
            stream=True,
            stream_options={"include_usage": True},
        )
        return "".join([chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices])

    return call


def raw_streamed(base: str, provider: str) -> Caller:
    """Return the same stream with httpx2 alone, its chunks joined."""
    import httpx2

    client = httpx2.AsyncClient()
    body = json.dumps({"model": MODELS[provider], "stream": True, "messages": MESSAGES}).encode()

    async def call() -> str:
        async with client.stream("POST", f"{base}/v1/chat/completions", content=body) as reply:
            return b"".join([chunk async for chunk in reply.aiter_bytes()]).decode()

    return call


CALLERS = {made.__name__: made for made in (raw, ours, sdk, litellm, raw_streamed, ours_streamed, sdk_streamed)}


async def spent_us(call: Caller, calls: int, at_once: int) -> float:
    """Return the CPU microseconds of this process for one call."""

    async def some() -> None:
        for _ in range(calls // at_once):
            await call()

    start = time.process_time()
    await asyncio.gather(*(some() for _ in range(at_once)))
    return (time.process_time() - start) / calls * 1e6


async def median_us(base: str, names: list[str]) -> dict[str, float]:
    """Return the median CPU microseconds of a call, by name and number of concurrent calls, in random order."""
    made = {name: CALLERS[name.partition(":")[0]](base, name.partition(":")[2]) for name in names}
    for call in made.values():
        answer = await call()
        assert "fox" in answer or "word99" in answer
    works = [(name, at_once) for name in names for at_once in ((1,) if "streamed" in name else AT_ONCE)]
    times: dict[str, list[float]] = {f"{name}@{at_once}": [] for name, at_once in works}
    for number in range(ROUNDS + 1):
        for name, at_once in random.sample(works, len(works)):
            spent = await spent_us(made[name], CALLS // 16 if "streamed" in name else CALLS, at_once)
            times[f"{name}@{at_once}"] += [spent] if number else []  # the first round opens connections
    return {name: statistics.median(values) for name, values in times.items()}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(median_us(sys.argv[1], sys.argv[2:]))))
