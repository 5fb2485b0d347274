"""A body, and what a caller adds to it in the provider's own words."""

from __future__ import annotations

from llm_gateway.types import JsonObject

__all__ = ["merged", "rest_of"]


def merged(body: JsonObject, extra: JsonObject, *nested: str) -> JsonObject:
    """*body* with the members of *extra*, which win; the objects called *nested* are joined member by member."""
    made = {**body, **extra}
    for name in nested:
        ours, theirs = body.get(name), extra.get(name)
        if isinstance(ours, dict) and isinstance(theirs, dict):
            made[name] = {**ours, **theirs}
    return made


def rest_of(body: JsonObject, **known: str) -> JsonObject:
    """What the objects in *body* hold beside the members that are *known* of each, with spaces between."""
    found = {name: body.get(name) for name in known}
    rests = {
        name: {key: value for key, value in one.items() if key not in known[name].split()}
        for name, one in found.items()
        if isinstance(one, dict)
    }
    return {name: rest for name, rest in rests.items() if rest}
