"""Parts of request bodies that formats share: JSON mode in words, extra fields, strict schemas."""

from __future__ import annotations

import dataclasses
from typing import Any

from llm_gateway.exceptions import ProviderError
from llm_gateway.types import ChatRequest, JsonObject, LLMMessage

__all__ = ["json_mode_as_message", "mention_json", "merge_extra", "strict_json_schema", "unknown_fields"]

_JSON_PROMPT = LLMMessage.system("Answer with one JSON object alone, without a code fence.")


def json_mode_as_message(request: ChatRequest) -> ChatRequest:
    """Return *request* with its JSON mode as a system message, for APIs without a JSON mode."""
    if not request.json_mode or request.response_schema is not None:
        return request
    return dataclasses.replace(request, messages=(_JSON_PROMPT, *request.messages))


def mention_json(request: ChatRequest) -> ChatRequest:
    """
    Return *request* with a message that mentions JSON, if it requests JSON mode and has none.

    OpenAI rejects JSON mode otherwise; Cohere and Gemini warn that the model may write without end.
    """
    if request.json_mode and any("json" in message.text.lower() for message in request.messages):
        return request
    return json_mode_as_message(request)


def merge_extra(body: JsonObject, extra: JsonObject, *nested: str) -> JsonObject:
    """Return *body* with the fields of *extra*, which take precedence; the objects in *nested* are merged by field."""
    made = {**body, **extra}
    for name in nested:
        ours, theirs = body.get(name), extra.get(name)
        if isinstance(ours, dict) and isinstance(theirs, dict):
            made[name] = {**ours, **theirs}
    return made


def unknown_fields(body: JsonObject, **known: str) -> JsonObject:
    """Return the objects in *body* without the fields in *known*, a text of names for each object; none if empty."""
    found = {name: body.get(name) for name in known}
    rests = {
        name: {key: value for key, value in one.items() if key not in known[name].split()}
        for name, one in found.items()
        if isinstance(one, dict)
    }
    return {name: rest for name, rest in rests.items() if rest}


def strict_json_schema(schema: JsonObject) -> JsonObject:
    """
    Return *schema* with every object closed and all its fields required.

    Raises:
        ProviderError: (``schema_unsupported``) A provider would reject or silently narrow it: its root is not an
            object, or a mapping has free keys.
    """
    if schema.get("type") != "object" and "$ref" not in schema:
        _raise_unsupported("the root", "it is no object", "wrap it in a model with one field")
    closed: JsonObject = _closed(schema, "$")
    return closed


def _closed(node: Any, path: str) -> Any:
    if isinstance(node, list):
        return [_closed(item, f"{path}[{index}]") for index, item in enumerate(node)]
    if not isinstance(node, dict):
        return node
    if isinstance(node.get("additionalProperties"), dict) or node.get("additionalProperties") is True:
        _raise_unsupported(path, "it is a mapping with free keys", "use a list of objects with a key and a value")
    made = {name: _closed(value, f"{path}.{name}") for name, value in node.items() if name not in ("default", "title")}
    if node.get("type") == "object":
        names = node.get("properties", {})
        made.update(properties={k: _closed(v, f"{path}.{k}") for k, v in names.items()})
        made.update(additionalProperties=False, required=list(names))
    return made


def _raise_unsupported(path: str, why: str, fix: str) -> None:
    raise ProviderError(
        f"no provider can be held to this schema: {path}", kind="schema_unsupported", cause=why, fix=fix
    )
