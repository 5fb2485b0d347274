"""JSON schemas as providers take them for native structured output."""

from __future__ import annotations

from typing import Any

from llm_gateway.exceptions import ProviderError
from llm_gateway.types import JsonObject

__all__ = ["strict_json_schema"]


def strict_json_schema(schema: JsonObject) -> JsonObject:
    """
    *schema* with every object closed and all its members required.

    Raises:
        ProviderError: (``schema_unsupported``) A provider would refuse or silently narrow it: its root is no object,
            or a mapping has free keys.
    """
    if schema.get("type") != "object" and "$ref" not in schema:
        _refuse("the root", "it is no object", "wrap it in a model with one field")
    closed: JsonObject = _closed(schema, "$")
    return closed


def _closed(node: Any, path: str) -> Any:
    if isinstance(node, list):
        return [_closed(item, f"{path}[{index}]") for index, item in enumerate(node)]
    if not isinstance(node, dict):
        return node
    if isinstance(node.get("additionalProperties"), dict) or node.get("additionalProperties") is True:
        _refuse(path, "it is a mapping with free keys", "use a list of objects with a key and a value")
    made = {name: _closed(value, f"{path}.{name}") for name, value in node.items() if name not in ("default", "title")}
    if node.get("type") == "object":
        names = node.get("properties", {})
        made.update(properties={k: _closed(v, f"{path}.{k}") for k, v in names.items()})
        made.update(additionalProperties=False, required=list(names))
    return made


def _refuse(path: str, why: str, fix: str) -> None:
    raise ProviderError(
        f"no provider can be held to this schema: {path}", kind="schema_unsupported", cause=why, fix=fix
    )
