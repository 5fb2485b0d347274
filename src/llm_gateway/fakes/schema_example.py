"""Examples for JSON schemas: deterministic, and as small as the schema allows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llm_gateway.types import JsonObject

__all__ = ["example"]

_FORMATS = {
    "date-time": "2026-01-01T00:00:00Z",
    "date": "2026-01-01",
    "time": "00:00:00Z",
    "duration": "P1D",
    "email": "user@example.com",
    "uri": "https://example.com",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "hostname": "example.com",
}
_MAX_DEPTH = 32


def example(schema: JsonObject) -> Any:
    """Return a value that is valid for *schema*: required properties only, minimal lengths, first choices."""
    return _Example(schema).build(schema, 0)


class _Example:
    """A builder of examples that resolves references within *root*."""

    def __init__(self, root: JsonObject) -> None:
        self._root = root

    def build(self, schema: Any, depth: int) -> Any:
        """Return the example of *schema*, a part of the whole; None below the maximal depth."""
        if not isinstance(schema, dict) or depth > _MAX_DEPTH:
            return None
        if given := [schema[name] for name in ("const", "default") if name in schema] or schema.get("enum"):
            return given[0]
        if "$ref" in schema:
            return self.build(self._resolve(str(schema["$ref"])), depth + 1)
        for name in ("anyOf", "oneOf", "type"):
            if isinstance(schema.get(name), list) and schema[name]:
                return self._first(schema, name, depth)
        return self.build(_merge_all_of(schema), depth + 1) if schema.get("allOf") else self._typed(schema, depth)

    def _first(self, schema: JsonObject, name: str, depth: int) -> Any:
        """Return the example of the first choice; deep inside a recursive schema, None where null is a choice."""
        choices = schema[name] if name != "type" else [{**schema, "type": one} for one in schema["type"]]
        if depth > _MAX_DEPTH // 4 and any(_is_null(choice) for choice in choices):
            return None
        return self.build(choices[0], depth + 1)

    def _resolve(self, reference: str) -> Any:
        found: Any = self._root
        for name in reference.removeprefix("#").strip("/").split("/"):
            found = found.get(name.replace("~1", "/").replace("~0", "~"), {}) if name else found
        return found

    def _typed(self, schema: JsonObject, depth: int) -> Any:
        match schema.get("type", "object" if "properties" in schema else None):
            case "object":
                return self._object(schema, depth)
            case "array":
                return self._array(schema, depth)
            case kind:
                return _SIMPLE[kind](schema) if kind in _SIMPLE else None

    def _array(self, schema: JsonObject, depth: int) -> list[Any]:
        """Return ``minItems`` items; the first ones take their schemas from ``prefixItems``."""
        first = schema.get("prefixItems", [])
        items = [*first, *[schema.get("items", {})] * (schema.get("minItems", 0) - len(first))]
        return [self.build(item, depth + 1) for item in items[: schema.get("minItems", 0)]]

    def _object(self, schema: JsonObject, depth: int) -> JsonObject:
        properties: JsonObject = schema.get("properties") or {}
        wanted = [name for name in properties if name in schema.get("required", properties)]
        return {name: self.build(properties[name], depth + 1) for name in wanted}


def _merge_all_of(schema: JsonObject) -> JsonObject:
    merged: JsonObject = {name: value for name, value in schema.items() if name != "allOf"}
    for one in schema["allOf"]:
        both = {**merged.get("properties", {}), **one.get("properties", {})}
        merged = {**merged, **one, **({"properties": both} if both else {})}
    return merged


def _is_null(schema: Any) -> bool:
    return isinstance(schema, dict) and schema.get("type") == "null"


def _text(schema: JsonObject) -> str:
    text = _FORMATS.get(str(schema.get("format")), str(schema.get("title") or "text").lower())
    text = text.ljust(schema.get("minLength", 0), "x")
    return text[: schema.get("maxLength", len(text))]


def _number(schema: JsonObject) -> float | int:
    """Return the least number that is allowed; 0 without a lower bound, where 0 is allowed."""
    high = schema.get("maximum", schema.get("exclusiveMaximum"))
    if "exclusiveMinimum" in schema:
        above = schema["exclusiveMinimum"]
        least = above + 1 if high is None or above + 1 < high else (above + high) / 2
    else:
        least = schema.get("minimum", 0 if high is None else min(0, high - 1))
    step = schema.get("multipleOf")
    return least if step is None else step * -(-least // step)  # type: ignore[no-any-return]


_SIMPLE: dict[Any, Callable[[JsonObject], Any]] = {
    "string": _text,
    "integer": lambda schema: int(_number(schema)),
    "number": _number,
    "boolean": lambda _: True,
}
