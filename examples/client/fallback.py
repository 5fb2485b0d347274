"""Call the next model, also of another provider, when one fails."""

from llm_gateway import GatewayConfig, SyncLLMClient
from llm_gateway.exceptions import AllFallbacksFailedError


def main() -> None:
    config = GatewayConfig(
        model="anthropic:claude-opus-5-5",
        fallback_models=("claude-sonnet-5-5", "openai:gpt-5-mini"),
        cross_provider_fallback=True,
        max_retries=0,  # each model is called once
    )
    with SyncLLMClient(config) as llm:
        try:
            reply = llm.chat("Name a colour of the rainbow in one word.")
        except AllFallbacksFailedError as error:
            print(error.report)
            return
    print(f"{reply.content} from {reply.provider}:{reply.model}, ${reply.cost_usd}")
    for attempt in reply.attempts:
        outcome = "answered" if attempt.error is None else f"{attempt.error} ({attempt.status})"
        print(f"  {attempt.number}. {attempt.provider}:{attempt.model} {outcome}")


if __name__ == "__main__":
    main()
