"""A conversation that prints its cost so far. An empty line ends it."""

import sys
from collections.abc import Iterator
from typing import Any

from llm_gateway import LLMMessage, SyncLLMClient


def questions() -> Iterator[str]:
    """Yield lines as they are typed; print those that come from a file."""
    while True:
        print("> ", end="", flush=True)
        if not (line := sys.stdin.readline().strip()):
            return
        if not sys.stdin.isatty():
            print(line)
        yield line


def main() -> None:
    conversation: list[LLMMessage | dict[str, Any]] = []
    with SyncLLMClient() as llm:
        for question in questions():
            conversation.append({"role": "user", "content": question})
            with llm.stream(conversation, system="You are a travel guide. Answer in one sentence.") as stream:
                for delta in stream:
                    print(delta.text, end="", flush=True)
            if stream.response is not None:
                conversation.append(stream.response.to_message())
            print(f"\n  [{llm.total_tokens} tokens, ${llm.total_cost_usd} so far]")
    print("bye")


if __name__ == "__main__":
    main()
