"""The models that ``claude`` knows by a short name, and which one it means by it."""

from __future__ import annotations

__all__ = ["MODELS", "VERSION", "model_name", "resolved"]

VERSION = "2.1.329"
"""Of the command line that was measured."""
MODELS = {
    "default": "claude-opus-5-5",
    "opus": "claude-opus-5-5",
    "fable": "claude-fable-5-2",
    "sonnet": "claude-sonnet-5-5",
    "haiku": "claude-haiku-5-5",
}


def resolved(name: str) -> str:
    """The model that is asked for *name*; one that is no short name is sent as it is."""
    return MODELS.get(name or "default", name)


def model_name(model: str) -> str:
    """*model* as it is shown to people, as in ``Haiku 5.5``."""
    family, *numbers = model.removeprefix("claude-").split("-")
    return " ".join(filter(None, [family.title(), ".".join(numbers)]))
