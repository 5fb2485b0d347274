"""Whether a call asks for an object of a certain class: in every SDK's own spelling of its schema."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llm_gateway.fakes.asked import FakeCall
from llm_gateway.types import JsonObject

__all__ = ["asks_for"]


def asks_for(model: Any) -> Callable[[FakeCall], bool]:
    """A condition for calls whose schema, or whose only tool, has the members of *model*."""
    wanted = _members(_schema_of(model))

    def asks(call: FakeCall) -> bool:
        asked = [call.chat.response_schema] if call.chat.response_schema else [one.parameters for one in call.tools]
        return any(_members(schema) == wanted for schema in asked)

    asks.__name__ = f"asks for {getattr(model, '__name__', model)}"
    return asks


def _schema_of(model: Any) -> JsonObject:
    from pydantic import TypeAdapter

    return TypeAdapter(model).json_schema()


def _members(schema: JsonObject) -> frozenset[str]:
    """SDKs rewrite what members hold, never how they are called."""
    return frozenset(schema.get("properties") or ())
