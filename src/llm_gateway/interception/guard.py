"""LLM hosts are closed to tests that neither record nor run live; what was refused is kept for the report."""

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
    "refuse",
    "running",
]


class Refusal:
    """A call that was refused: what it was, and the test that made it (None outside any test)."""

    # A plain class: this module is imported when pytest starts, where making a dataclass is felt.
    __slots__ = ("test_id", "what")

    def __init__(self, what: str, test_id: str | None) -> None:
        self.what = what
        self.test_id = test_id


_state = {"closed": False}
refusals: list[Refusal] = []
running: ContextVar[str | None] = ContextVar("llm_gateway_running_test", default=None)
_LOCAL = frozenset({"localhost", "host.docker.internal", "metadata.google.internal"})


def close() -> None:
    """Refuse calls to LLM hosts from here on, in this process."""
    _state["closed"] = True


def open_up() -> None:
    """Let calls to LLM hosts through again."""
    _state["closed"] = False


def is_closed() -> bool:
    """Whether calls to LLM hosts are refused right now."""
    return _state["closed"]


def is_local(url: str) -> bool:
    """Whether *url* names this machine: a test's own server, a local model, a metadata service."""
    host = (urlsplit(url).hostname or "").lower()
    return host in _LOCAL or host.endswith(".localhost") or _is_local_address(host)


def _is_local_address(host: str) -> bool:
    """Return whether *host* is an address of this machine; ``127.api.openai.com`` only begins like one."""
    if ":" not in host and not host.replace(".", "").isdigit():
        return False
    import ipaddress

    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_link_local or address.is_unspecified


def closed_to(method: str, url: str) -> bool:
    """Whether a call to *url* is to be refused."""
    if not _state["closed"] or is_local(url):
        return False
    from llm_gateway.wire.identify import identify, is_llm_host

    return is_llm_host((urlsplit(url).hostname or "").lower()) or identify(method, url) is not None


def refuse(what: str) -> str:
    """Note a refused call and return the text that explains it."""
    refusal = Refusal(what, running.get())
    refusals.append(refusal)
    return explained(refusal)


def explained(refusal: Refusal) -> str:
    """What was refused, why, and what to type."""
    test_id = refusal.test_id
    command = f"pytest --llm-record {test_id}" if test_id else "pytest --llm-record"
    return (
        f"BlockedCallError: {test_id or 'code outside any test'} called {refusal.what}\n"
        "  LLM calls are closed to tests that are not marked; none was made and nothing was spent\n"
        f"  to record and replay it: mark the test with @pytest.mark.llm, then run {command}"
    )
