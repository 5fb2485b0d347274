"""Read what calls cost, log a warning, and stop at a limit."""

from decimal import Decimal

from llm_gateway import GatewayConfig, SyncLLMClient
from llm_gateway.cost import register_pricing
from llm_gateway.exceptions import CostLimitExceededError

register_pricing("openai:gpt-5-nano", input="0.04", output="0.3")  # the price in the contract, for a million tokens


def main() -> None:
    config = GatewayConfig(
        model="openai:gpt-5-mini", cost_warn_usd=Decimal("0.00002"), cost_limit_usd=Decimal("0.005"), max_tokens=500
    )
    with SyncLLMClient(config) as llm:
        reply = llm.chat("Tell the plot of Hamlet in one sentence.")
        print(f"{reply.model}: ${reply.cost_usd}")
        reply = llm.chat("Tell the plot of Macbeth in one sentence.", model="gpt-5-nano")
        print(f"{reply.model}: ${reply.cost_usd}")

        print(f"together: {llm.call_count} calls, {llm.total_tokens} tokens, ${llm.total_cost_usd}")
        for model, row in llm.cost_summary().items():
            print(f"  {model}: {row['input_tokens']} in, {row['output_tokens']} out, ${row['cost_usd']}")

        try:
            llm.chat("Now write a play of your own.", max_tokens=20_000)
        except CostLimitExceededError as error:
            print(error.report)


if __name__ == "__main__":
    main()
