"""What both colours of the client share: settings, requests, totals."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from llm_gateway import config as settings
from llm_gateway import registry
from llm_gateway.client.flows import Call, adapter_for, schema_name
from llm_gateway.client.message import Messages, messages_from
from llm_gateway.cost.prices import price
from llm_gateway.exceptions import CostLimitExceededError
from llm_gateway.providers.base import HttpProvider
from llm_gateway.types import ChatRequest, LLMResponse, TokenUsage, Tool
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
        provider_instance: HttpProvider | None = None,
    ) -> None:
        self.config = config or settings.load(provider=provider, model=model, api_key=api_key, base_url=base_url)
        self._responses: list[tuple[str, TokenUsage | None, Decimal | None]] = []
        name, wanted = self.config.target()
        self.provider = provider_instance or self._provider(name)
        self.model = wanted or self.provider.default_model

    def _provider(self, name: str) -> HttpProvider:
        factory = registry.resolve(name)
        made: HttpProvider = factory(self.config.key(name), self.config.url(name))
        return made

    def call(self) -> Call:
        """Start a call, unless the cost limit is reached."""
        limit, spent = self.config.cost_limit_usd, self.total_cost_usd
        if limit is not None and spent is not None and spent >= limit:
            raise CostLimitExceededError(
                f"the cost limit of ${limit} is reached: ${spent} spent in {self.call_count} calls",
                cause="the call was not sent",
                fix="raise LLM_COST_LIMIT_USD, or make a new client",
            )
        return Call(self.provider, self.config.max_retries, _cost)

    def request(
        self, messages: Messages, *, system: str | None, response_model: Any = None, **options: Any
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

    def count(self, response: LLMResponse[Any]) -> None:
        """Add a finished call to the totals."""
        self._responses.append((response.model, response.usage, response.cost_usd))

    @property
    def call_count(self) -> int:
        """Calls that were answered."""
        return len(self._responses)

    @property
    def total_tokens(self) -> int | None:
        """Input and output tokens of all calls, or None when a call reported none."""
        totals = [usage.total_tokens if usage else None for _, usage, _ in self._responses]
        return None if None in totals else sum(total for total in totals if total is not None)

    @property
    def total_cost_usd(self) -> Decimal | None:
        """US dollars of all calls, or None when the price of one is not known."""
        costs = [cost for _, _, cost in self._responses]
        return None if None in costs else sum((cost for cost in costs if cost is not None), Decimal(0))

    def cost_summary(self) -> dict[str, dict[str, Any]]:
        """By model: ``calls``, ``input_tokens``, ``output_tokens``, ``cost_usd``; None where a call reported none."""
        summary: dict[str, dict[str, Any]] = {}
        for model, usage, cost in self._responses:
            row = summary.setdefault(model, {"calls": 0, "input_tokens": 0, "output_tokens": 0, "cost_usd": Decimal(0)})
            row["calls"] += 1
            known = {"input_tokens": usage and usage.input_tokens, "output_tokens": usage and usage.output_tokens}
            for name, value in {**known, "cost_usd": cost}.items():
                row[name] = None if value is None or row[name] is None else row[name] + value
        return summary


def _tool(tool: Any) -> Tool:
    return tool if isinstance(tool, Tool) else Tool(tool["name"], tool.get("description", ""), tool["parameters"])


def _cost(provider: str, model: str, usage: TokenUsage) -> Decimal | None:
    found = price(provider, model, usage, at=datetime.now(UTC))
    return found.cost_usd if found else None
