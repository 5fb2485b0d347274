"""Which models a misspelt name may have meant."""

from __future__ import annotations

import difflib

from llm_gateway.cost.prices import known_models

__all__ = ["nearest_models"]


def nearest_models(provider: str, name: str) -> str | None:
    """A question that offers the nearest known names; None where none is near."""
    near = difflib.get_close_matches(name, [one for one in known_models(provider) if one != name], n=3)
    return f"did you mean {' or '.join(map(repr, near))}?" if near else None
