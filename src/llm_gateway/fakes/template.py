"""Templates of JSON: fields that an API adds to every reply, whatever was scripted."""

from __future__ import annotations

import copy
from typing import Any

__all__ = ["Template", "fill"]

Template = Any
"""
Values by name, for fields that are absent or null. A function as a value gets the object around the field; a function
instead of a template gets the value that is to be filled. ``name?`` adds no field, but fills the one that is there.
The first item of a list is the template of every item.
"""


def fill(value: Any, template: Template) -> Any:
    """Return *value* with the fields of *template* that it lacks."""
    template = template(value) if callable(template) else template
    if isinstance(value, list) and isinstance(template, list) and template:
        return [fill(one, template[0]) for one in value]
    if not template or not isinstance(value, dict) or not isinstance(template, dict):
        return value
    filled = dict(value)
    for name, inner in template.items():
        plain = name.removesuffix("?")
        if filled.get(plain) is not None:
            filled[plain] = fill(filled[plain], inner)
        elif plain == name:
            filled[name] = inner(filled) if callable(inner) else copy.deepcopy(inner)
    return filled
