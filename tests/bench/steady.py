"""Many calls of one client in a process of its own: ``python steady.py URL CALLS`` prints memory and modules."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

from llm_gateway import LLMClient

NOT_NEEDED = (
    "llm_gateway.cassettes",
    "llm_gateway.pytest_plugin",
    "anthropic",
    "boto3",
    "cohere",
    "google.genai",
    "groq",
    "mistralai",
    "ollama",
    "openai",
    "together",
)
AT_ONCE, SESSIONS = 8, 50


def rss_mb() -> float:
    """Return the resident memory of this process in MB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1024**2


async def call_many(base: str, calls: int) -> dict[str, object]:
    """Return the memory after a tenth of the calls and after all, and the imported modules that are not needed."""
    async with LLMClient(provider="openai", api_key="x", base_url=f"{base}/v1") as client:

        async def some(number: int) -> None:
            for turn in range(number):
                await client.chat("hello", session_id=f"session-{turn % SESSIONS}")

        found = []
        for share in (calls // 10, calls - calls // 10):
            await asyncio.gather(*(some(share // AT_ONCE) for _ in range(AT_ONCE)))
            found.append(rss_mb())
        needless = [one for one in NOT_NEEDED if one in sys.modules]
        return {"after_mb": found, "calls": client.call_count, "needless": needless}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(call_many(sys.argv[1], int(sys.argv[2])))))
