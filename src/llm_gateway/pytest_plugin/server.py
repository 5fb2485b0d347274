"""The fixture ``llm_server``: a server for one test, and the variables that point every SDK to it."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from llm_gateway.interception.dispatch import own_servers
from llm_gateway.loopback.address import variables
from llm_gateway.loopback.answer import Answers
from llm_gateway.loopback.server import Server
from llm_gateway.pytest_plugin.environment import PLACEHOLDER

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from llm_gateway.interception.cassette import Cassette

__all__ = ["LLMServer", "serving"]

_READ_AT_IMPORT = "cohere"
"""The one SDK that reads its address, CO_API_URL, when it is imported, and never again."""
_PROXIES = ("http_proxy", "https_proxy", "all_proxy")


class LLMServer:
    """
    A server that answers like every provider, from the scripts of ``fake_llm`` or the test's cassette.

    Attributes:
        url: Its address; the name of a provider comes next in a path, as in ``{url}/openai/v1/chat/completions``.

        env: The variables that are set while the test runs, for a process that does not inherit them.
    """

    def __init__(self, url: str, env: dict[str, str]) -> None:
        self.url = url
        self.env = env


@contextmanager
def serving(cassette: Cassette) -> Generator[LLMServer]:
    """Answer on a free port as *cassette* does, with the address in ``os.environ``, inside the block."""
    before = dict(os.environ)
    server = Server(Answers(cassette, before))
    names = {f"{host}:{server.port}" for host in ("127.0.0.1", "localhost")}
    url = f"http://127.0.0.1:{server.port}"
    addresses = {**variables(url), **_unproxied(before)}
    keys = {name: value for name, value in before.items() if value == PLACEHOLDER}
    own_servers.update(names)
    os.environ.update(addresses)
    try:
        with _unloading(_READ_AT_IMPORT):
            yield LLMServer(url, {**keys, **addresses})
    finally:
        _restore(addresses, before)
        server.close()
        own_servers.difference_update(names)
    if server.errors:
        raise server.errors[0]  # its client only saw a 500


def _unproxied(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that keep calls to this machine from a proxy; none where there is no proxy."""
    if not any(environ.get(spelling) for name in _PROXIES for spelling in (name, name.upper())):
        return {}
    listed = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    return dict.fromkeys(("no_proxy", "NO_PROXY"), ",".join(filter(None, [listed, "127.0.0.1,localhost"])))


def _restore(addresses: Mapping[str, str], before: Mapping[str, str]) -> None:
    """Restore the variables, unless the test changed them since."""
    for name, value in addresses.items():
        if os.environ.get(name) != value:
            continue
        if name in before:
            os.environ[name] = before[name]
        else:
            del os.environ[name]


@contextmanager
def _unloading(package: str) -> Generator[None]:
    """Unload *package* at the end of the block if it was first imported inside."""
    was_imported = package in sys.modules
    try:
        yield
    finally:
        if not was_imported:
            for name in [name for name in sys.modules if name.partition(".")[0] == package]:
                del sys.modules[name]
