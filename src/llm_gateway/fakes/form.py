"""Forms of answers: what APIs put around everything that a model says, whatever was scripted."""

from __future__ import annotations

import copy
from typing import Any

__all__ = ["Form", "filled"]

Form = Any
"""
Values by name, for members that are absent or null; one that is a function makes its value of the object around it.
``name?`` is not made, but filled where it is. The first of a list is the form of each item, and a function in the
place of a form makes it of the value that is to be filled.
"""


def filled(value: Any, form: Form) -> Any:
    """*value*, with what *form* has more."""
    form = form(value) if callable(form) else form
    if isinstance(value, list) and isinstance(form, list) and form:
        return [filled(one, form[0]) for one in value]
    if not form or not isinstance(value, dict) or not isinstance(form, dict):
        return value
    made = dict(value)
    for name, inner in form.items():
        plain = name.removesuffix("?")
        if made.get(plain) is not None:
            made[plain] = filled(made[plain], inner)
        elif plain == name:
            made[name] = inner(made) if callable(inner) else copy.deepcopy(inner)
    return made
