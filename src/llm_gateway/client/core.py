"""What both colours of the client share: settings, requests, totals."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NoReturn

from llm_gateway import config as settings
from llm_gateway import registry
from llm_gateway.client.call import Call, billed_cost
from llm_gateway.client.flows import adapter_for, schema_name
from llm_gateway.client.message import Messages, messages_from
from llm_gateway.cost import recorded
from llm_gateway.cost.prices import price
from llm_gateway.exceptions import CostLimitExceededError
from llm_gateway.providers.base import Provider
from llm_gateway.types import Attempt, ChatRequest, TokenUsage, Tool
from llm_gateway.wire.schema import strict_json_schema

__all__ = ["Core"]


class Core:
    """Settings and totals of a client; does no I/O."""

    def __init__(
        self,
        config: settings.GatewayConfig | None = None,
        *,
        provider: str | None = None,
        model: str | None = None,
        api_key: str | None = None,
        base_url: str | None = None,
        provider_instance: Provider | None = None,
    ) -> None:
        self.config = config or settings.load(provider=provider, model=model, api_key=api_key, base_url=base_url)
        self._attempts: list[Attempt] = []
        self._calls = 0
        name, wanted = self.config.target(registry.list_providers())
        self.provider = provider_instance or registry.resolve(name)(self.config)
        self.model = wanted or str(getattr(self.provider, "default_model", ""))

    def call(self, response_model: type[Any] | None = None) -> Call:
        """
        Start a call.

        Raises:
            CostLimitExceededError: The cost limit is reached.
        """
        limit, spent = self.config.cost_limit_usd, self.total_cost_usd
        if limit is not None and (spent is None or spent >= limit):
            self._refuse(limit, spent)
        self._calls += 1
        recorded.take()  # whatever another call in this context left there
        return Call(self.provider, self.config.max_retries, _cost, self._attempts.append, response_model)

    def _refuse(self, limit: Decimal, spent: Decimal | None) -> NoReturn:
        if spent is not None:
            what = f"the cost limit of ${limit} is reached: ${spent} spent in {self.call_count} calls"
        else:
            unknown = next(one.model for one in self._attempts if one.is_billed and one.cost_usd is None)
            what = f"the cost limit of ${limit} cannot be held: what {unknown!r} cost is not known"
        raise CostLimitExceededError(
            what, cause="the call was not sent", fix="raise or unset LLM_COST_LIMIT_USD, or make a new client"
        )

    def request(
        self, messages: Messages, *, system: str | None = None, response_model: Any = None, **options: Any
    ) -> ChatRequest:
        """What is asked, in no provider's words."""
        given = {name: value for name, value in options.items() if value is not None}
        given.setdefault("max_tokens", self.config.max_tokens)
        given.setdefault("temperature", self.config.temperature)
        given["stop"] = tuple(given.get("stop", ()))
        given["tools"] = tuple(_tool(tool) for tool in given.get("tools", ()))
        if response_model is not None:
            given["response_schema"] = strict_json_schema(adapter_for(response_model).json_schema())
            given["response_schema_name"] = schema_name(response_model)
        return ChatRequest(given.pop("model", self.model), messages_from(messages, system), **given)

    @property
    def call_count(self) -> int:
        """Calls that were begun, answered or not."""
        return self._calls

    @property
    def total_tokens(self) -> int | None:
        """Input and output tokens of all attempts that were billed, or None when one of them reported none."""
        totals = [one.usage.total_tokens if one.usage else None for one in self._attempts if one.is_billed]
        known = [total for total in totals if total is not None]
        return sum(known) if len(known) == len(totals) else None

    @property
    def total_cost_usd(self) -> Decimal | None:
        """US dollars of all attempts that were billed, or None when the price of one is not known."""
        return billed_cost(self._attempts)

    def cost_summary(self) -> dict[str, dict[str, Any]]:
        """
        By model: ``attempts``, ``input_tokens``, ``output_tokens`` and ``cost_usd`` of what was billed.

        A sum is None where one of its attempts reported nothing.
        """
        summary: dict[str, dict[str, Any]] = {}
        for one in self._attempts:
            if one.is_billed:
                _add(summary.setdefault(one.model, dict(_NOTHING)), one)
        return summary


_NOTHING = {"attempts": 0, "input_tokens": 0, "output_tokens": 0, "cost_usd": Decimal(0)}


def _add(row: dict[str, Any], one: Attempt) -> None:
    usage = one.usage or TokenUsage()
    more = {
        "attempts": 1,
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cost_usd": one.cost_usd,
    }
    for name, value in more.items():
        row[name] = None if value is None or row[name] is None else row[name] + value


def _tool(tool: Any) -> Tool:
    return tool if isinstance(tool, Tool) else Tool(tool["name"], tool.get("description", ""), tool["parameters"])


def _cost(provider: str, model: str, usage: TokenUsage) -> Decimal | None:
    found = price(provider, model, usage, at=datetime.now(UTC))
    return found.cost_usd if found else None
