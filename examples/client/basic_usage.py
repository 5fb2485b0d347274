"""Request text, an object, and a reply with a tool that the model may call."""

from typing import Any, Literal

from pydantic import BaseModel

from llm_gateway import LLMMessage, SyncLLMClient, Tool
from llm_gateway.types import ToolResult


class Ticket(BaseModel):
    queue: Literal["billing", "bug", "other"]
    is_urgent: bool


CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


def weather(city: str) -> str:
    return {"Bergen": "9 degrees, rain", "Lyon": "21 degrees, sunny"}.get(city, "unknown")


def chat_with_tool(llm: SyncLLMClient, question: str) -> str:
    tools = [Tool("weather", "The weather in a city today.", CITY)]
    conversation: list[LLMMessage | dict[str, Any]] = [{"role": "user", "content": question}]
    while (reply := llm.chat(conversation, tools=tools)).tool_calls:
        for call in reply.tool_calls:
            print(f"  the model calls {call.name}({call.arguments})")
        results = tuple(ToolResult(call.id, weather(**call.arguments)) for call in reply.tool_calls)
        conversation += [reply.to_message(), LLMMessage("tool", results)]
    return reply.content


def main() -> None:
    with SyncLLMClient() as llm:
        print(llm.chat("What is the capital of France? Answer in one word.").content)
        ticket = llm.complete("I was charged twice, please help today!", response_model=Ticket).content
        print(repr(ticket))
        print(chat_with_tool(llm, "Where do I need an umbrella, in Bergen or in Lyon?"))
        print(f"{llm.call_count} calls, {llm.total_tokens} tokens, ${llm.total_cost_usd}")


if __name__ == "__main__":
    main()
