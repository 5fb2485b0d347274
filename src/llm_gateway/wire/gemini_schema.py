"""Schemas in the style of OpenAPI, which Gemini takes beside JSON schemas, as JSON schemas."""

from __future__ import annotations

from typing import Any

from llm_gateway.types import JsonObject

__all__ = ["json_schema"]

_NOT_IN_JSON_SCHEMA = frozenset({"nullable", "propertyOrdering", "example"})


def json_schema(schema: JsonObject) -> JsonObject:
    """*schema* with types in lower case, and ``nullable`` said as one more type."""
    made = {name: _value(name, value) for name, value in schema.items() if name not in _NOT_IN_JSON_SCHEMA}
    if schema.get("nullable") and isinstance(made.get("type"), str):
        made["type"] = [made["type"], "null"]
    return made


def _value(name: str, value: Any) -> Any:
    match name, value:
        case "type", str():
            return value.lower()
        case "properties", dict():
            return {key: json_schema(one) for key, one in value.items()}
        case _, dict() if name in ("items", "additionalProperties"):
            return json_schema(value)
        case "anyOf", list():
            return [json_schema(one) for one in value]
    return value
