"""Names of providers, as a script may say them."""

from __future__ import annotations

import difflib

from llm_gateway.catalog import PROVIDERS
from llm_gateway.exceptions import FakeScriptError
from llm_gateway.fakes.callsite import caller
from llm_gateway.fakes.claude import PROVIDER

__all__ = ["checked"]


def checked(name: str, verb: str) -> str:
    """
    *name*, which was said to *verb*.

    Raises:
        FakeScriptError: There is no such provider.
    """
    names = {PROVIDER, *(one for one, entry in PROVIDERS.items() if entry.is_addressable)}
    if name in names:
        return name
    near = difflib.get_close_matches(str(name), names, n=1)
    told = f"did you mean {near[0]!r}? " if near else ""
    raise FakeScriptError(
        f"{verb} names {name!r}, which is no provider",
        cause=f"{told}it was scripted at {caller()}",
        fix=f"known providers: {', '.join(sorted(names))}",
    )
