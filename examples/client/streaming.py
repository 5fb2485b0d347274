"""Print an answer while it arrives, in sync and in async code, with a bar after each chunk."""

import asyncio

from llm_gateway import LLMClient, LLMResponse, SyncLLMClient

QUESTION = "Count from one to five, in words."


def show(response: LLMResponse[str] | None) -> None:
    if response is not None:  # None until the stream is through
        print(f"\n  {response.model}: {response.stop_reason}, ${response.cost_usd}")


def in_sync_code() -> None:
    with SyncLLMClient() as llm, llm.stream(QUESTION) as stream:
        for delta in stream:
            print(delta.text, end="|", flush=True)
    show(stream.response)


async def in_async_code() -> None:
    async with LLMClient() as llm, llm.stream(QUESTION, system="Answer in German.") as stream:
        async for delta in stream:
            print(delta.text, end="|", flush=True)
    show(stream.response)


if __name__ == "__main__":
    in_sync_code()
    asyncio.run(in_async_code())
