"""A custom provider: any class with complete() and close(), here one with fixed answers. Needs no key."""

from typing import Any

from llm_gateway import LLMMessage, LLMResponse, SyncLLMClient, TokenUsage, register_provider
from llm_gateway.cost import register_pricing

ANSWERS = {"open": "We are open from 9 to 17.", "refund": "Refunds take three days."}


class Faq:
    name = "faq"  # in responses, prices and messages

    async def complete(self, messages: list[LLMMessage], response_model: type[Any] | None = None) -> LLMResponse[Any]:
        question = messages[-1].text
        text = next((answer for word, answer in ANSWERS.items() if word in question), "Please ask at the desk.")
        content = text if response_model is None else response_model(text=text)
        usage = TokenUsage(input_tokens=len(question.split()), output_tokens=len(text.split()))
        return LLMResponse(content, self.name, "table-1", usage=usage)

    async def close(self) -> None:
        """Close nothing, since no connection is open."""


register_provider("faq", lambda _settings: Faq())
register_pricing("faq:table-1", input=1, output=2)


def main() -> None:
    with SyncLLMClient(provider="faq") as llm:
        for question in ("When are you open?", "How long does a refund take?", "Who are you?"):
            reply = llm.chat(question)
            print(f"{reply.provider}: {reply.content} ${reply.cost_usd}")
        print(f"{llm.call_count} calls, {llm.total_tokens} tokens, ${llm.total_cost_usd}")


if __name__ == "__main__":
    main()
