"""What callers may pass as tools, in one form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from llm_gateway.exceptions import ConfigError
from llm_gateway.types import Tool

__all__ = ["tools_from"]

_EXAMPLE = '{"name": "weigh", "description": "Weigh it", "parameters": {"type": "object", "properties": {}}}'


def tools_from(given: Sequence[Any]) -> tuple[Tool, ...]:
    """
    The tools in *given*: `Tool`, or a dict, bare or as OpenAI's chat completions have it.

    Raises:
        ConfigError: One of them is no tool, or there are two of one name.
    """
    tools = tuple(_tool(one, f"tools[{index}]") for index, one in enumerate(given))
    names = [tool.name for tool in tools]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ConfigError(f"two tools are called {twice!r}", cause="a call names its tool", fix="rename one of them")
    return tools


def _tool(one: object, place: str) -> Tool:
    tool = one if isinstance(one, Tool) else _read(one)
    parameters: object = tool.parameters if tool is not None else None
    if tool is None or not tool.name or not isinstance(parameters, dict):
        raise ConfigError(
            f"{place} is {one!r}",
            cause="a tool has a name, and parameters: a JSON schema of an object, as a dict",
            fix=f"for example: {_EXAMPLE}",
        )
    return tool


def _read(one: object) -> Tool | None:
    if not isinstance(one, Mapping):
        return None
    function = one.get("function", one)
    if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
        return None
    return Tool(function["name"], function.get("description") or "", function.get("parameters", {"type": "object"}))
