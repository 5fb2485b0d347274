"""The same code for every provider, which llm.yaml and LLM_PROVIDER select."""

from pydantic import BaseModel

from llm_gateway import SyncLLMClient


class Planet(BaseModel):
    name: str
    moons: int


def main() -> None:
    with SyncLLMClient() as llm:
        print(llm.chat("Which planet is the largest? Answer in one word.").content)
        reply = llm.complete("Which planet has rings that are easy to see?", response_model=Planet)
        print(f"{reply.content!r} from {reply.provider}:{reply.model}, ${llm.total_cost_usd}")


if __name__ == "__main__":
    main()
