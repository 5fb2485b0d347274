"""The guard that blocks LLM hosts for tests which neither record nor run live, and keeps what it blocked."""

from __future__ import annotations

from contextvars import ContextVar
from urllib.parse import urlsplit

__all__ = [
    "Refusal",
    "close",
    "closed_to",
    "explained",
    "is_closed",
    "is_local",
    "open_up",
    "refusals",
    "report_blocked",
    "running",
]


class Refusal:
    """A call that was blocked, and the test that made it (None outside any test)."""

    # A plain class: this module is imported when pytest starts, where making a dataclass takes a measurable time.
    __slots__ = ("test_id", "what")

    def __init__(self, what: str, test_id: str | None) -> None:
        self.what = what
        self.test_id = test_id


refusals: list[Refusal] = []
running: ContextVar[str | None] = ContextVar("llm_gateway_running_test", default=None)
_LOCAL = frozenset({"localhost", "host.docker.internal", "metadata.google.internal"})
_is_closed = False


def close() -> None:
    """Block calls to LLM hosts from here on, in this process."""
    _set(is_closed=True)


def open_up() -> None:
    """Let calls to LLM hosts through again."""
    _set(is_closed=False)


def _set(*, is_closed: bool) -> None:
    global _is_closed  # noqa: PLW0603  one fact of the whole process
    _is_closed = is_closed


def is_closed() -> bool:
    """Return whether calls to LLM hosts are blocked right now."""
    return _is_closed


def is_local(url: str) -> bool:
    """Return whether *url* names this machine: a test's own server, a local model, a metadata service."""
    host = (urlsplit(url).hostname or "").lower()
    if host in _LOCAL or host.endswith(".localhost"):
        return True
    return (host[-1:].isdigit() or ":" in host) and _is_local_address(host)


def _is_local_address(host: str) -> bool:
    """Return whether *host* is an address of this machine."""
    import ipaddress

    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_link_local or address.is_unspecified


def closed_to(method: str, url: str) -> bool:
    """Return whether a call to *url* is blocked."""
    if not _is_closed or is_local(url):
        return False
    from llm_gateway.wire.identify import identify, is_llm_host

    return is_llm_host((urlsplit(url).hostname or "").lower()) or identify(method, url) is not None


def report_blocked(what: str) -> str:
    """Keep a blocked call for the report of the run, and return the text that explains it."""
    refusal = Refusal(what, running.get())
    refusals.append(refusal)
    return explained(refusal)


def explained(refusal: Refusal) -> str:
    """Return the text on what was blocked, why, and what to type."""
    test_id = refusal.test_id
    command = f"pytest --llm-record {test_id}" if test_id else "pytest --llm-record"
    return (
        f"BlockedCallError: {test_id or 'code outside any test'} called {refusal.what}\n"
        "  LLM calls are closed to tests that are not marked; none was made and nothing was spent\n"
        f"  to record and replay it: mark the test with @pytest.mark.llm, then run {command}"
    )
