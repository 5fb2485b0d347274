"""
Every error that this package raises, in one tree.

::

    GatewayError
    +-- ConfigError                     a setting is missing or wrong; names where it came from
    |   +-- MissingKeyError
    |   +-- UnknownProviderError
    |   +-- UnknownModelError           the provider lists no such model
    +-- CassetteError                   a recording cannot be used
    |   +-- CassetteReadError           unreadable: names file and line
    |   +-- CassetteMissError           nothing recorded matches the request
    |   +-- CassetteUnusedError         recorded exchanges that the test never requested
    |   +-- CassetteSaveError           could not be written; the old file is as it was
    |   +-- CassetteSecretError         a secret would have been written; nothing was
    |   +-- FaultError                  a fault that cannot be injected, or was never reached
    |   +-- RouteError                  several cassettes are open and none belongs to the caller
    +-- BlockedCallError                an LLM host was called where none may be
    +-- FakeError                       a scripted answer cannot be given
    |   +-- FakeScriptError             the script is wrong: names its line
    |   +-- FakeMissError               nothing is scripted for a call
    |   +-- FakeUnusedError             scripted answers that the test never requested
    +-- ProviderError                   the provider refused or failed; `kind` names how
    |   +-- AllFallbacksFailedError     so did every model that was to answer instead
    |   +-- CircuitOpenError            it failed too often just now, and was not called
    |   +-- ContextWindowError          the conversation does not fit, and was not sent
    +-- StructuredOutputError           the answer does not satisfy the schema
    +-- CostLimitExceededError          the call would pass the limit that was set
    +-- BudgetExceededError             the calls of a test have used up its budget
    +-- LedgerError                     the ledger of calls cannot be used
    +-- SnapshotError                   a value cannot be written to a snapshot

Each carries its facts as attributes, builds its text from them and survives pickling, as pytest-xdist needs.
"""

from __future__ import annotations

import math
from typing import Literal

from llm_gateway.record import RecordHolder
from llm_gateway.usage import TokenUsage

__all__ = [
    "AllFallbacksFailedError",
    "BlockedCallError",
    "BudgetExceededError",
    "CassetteError",
    "CassetteMissError",
    "CassetteReadError",
    "CassetteSaveError",
    "CassetteSecretError",
    "CassetteUnusedError",
    "CircuitOpenError",
    "ConfigError",
    "ContextWindowError",
    "CostLimitExceededError",
    "ErrorKind",
    "FakeError",
    "FakeMissError",
    "FakeScriptError",
    "FakeUnusedError",
    "FaultError",
    "GatewayError",
    "LedgerError",
    "MissingKeyError",
    "ProviderError",
    "RouteError",
    "SnapshotError",
    "StructuredOutputError",
    "UnknownModelError",
    "UnknownProviderError",
    "UnsupportedParamWarning",
]

ErrorKind = Literal[
    "auth",
    "permission",
    "not_found",
    "invalid_request",
    "unsupported_param",
    "schema_unsupported",
    "context_window",
    "content_filter",
    "rate_limited",
    "quota_exhausted",
    "overloaded",
    "timeout",
    "connection",
    "server",
    "stream_interrupted",
    "process",
    "budget_exceeded",
    "cancelled",
]


class GatewayError(Exception):
    """
    Base of every error here: what happened, the nearest cause, and what to type.

    Args:
        message: What happened, with values.

        cause: Why, or the nearest candidate.

        fix: The next command to type, or the next thing to do.
    """

    def __init__(self, message: str, *, cause: str | None = None, fix: str | None = None) -> None:
        self.message = message
        self.cause = cause
        self.fix = fix
        super().__init__(message)

    def __str__(self) -> str:
        lines = [self.message]
        lines += [f"  {line}" for text in (self.cause, self.fix) if text for line in text.splitlines()]
        return "\n".join(lines)

    @property
    def kind(self) -> ErrorKind | None:
        """The kind of failure that a call ended with; None where no call is to blame, as for a wrong setting."""
        return None

    @property
    def is_retryable(self) -> bool:
        """Whether the same call may succeed later."""
        return False

    @property
    def report(self) -> str:
        """The whole text with the error's name in front, as a test report shows it."""
        return f"{type(self).__name__}: {self}"

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.args, self.__dict__))


def _rebuild(cls: type[GatewayError], args: tuple[object, ...], facts: dict[str, object]) -> GatewayError:
    error = cls.__new__(cls)
    error.args = args
    error.__dict__.update(facts)
    return error


class ConfigError(GatewayError):
    """A setting is missing or wrong; the text names where it came from."""


class MissingKeyError(ConfigError):
    """No API key was found for a provider that needs one."""


class UnknownProviderError(ConfigError):
    """The provider's name is not known; the text offers the nearest ones."""


class UnknownModelError(ConfigError):
    """The provider lists no such model, or no longer; the text offers the nearest ones, as does *nearest*."""

    def __init__(
        self, message: str, *, nearest: tuple[str, ...] = (), cause: str | None = None, fix: str | None = None
    ) -> None:
        super().__init__(message, cause=cause, fix=fix)
        self.nearest = nearest


class CassetteError(GatewayError):
    """A recording cannot be used."""


class CassetteReadError(CassetteError):
    """A cassette is unreadable. It is never treated as empty and never overwritten."""


class CassetteMissError(CassetteError):
    """Nothing recorded matches what was sent."""


class CassetteUnusedError(CassetteError):
    """The test passed without asking for every recorded exchange."""


class CassetteSaveError(CassetteError):
    """The cassette could not be written; the old file is as it was."""


class CassetteSecretError(CassetteError):
    """A secret would have been written; nothing was."""


class FaultError(CassetteError):
    """A fault of a test cannot be injected, or the test ended before the call that was to fail."""


class RouteError(CassetteError):
    """Several cassettes are open and the caller belongs to none of them."""


class BlockedCallError(GatewayError):
    """An LLM host was called by a test that may not call one."""


class FakeError(GatewayError):
    """A scripted answer cannot be given."""


class FakeScriptError(FakeError):
    """The script itself is wrong; the text names its line."""


class FakeMissError(FakeError):
    """A call for which nothing was scripted."""


class FakeUnusedError(FakeError):
    """The test passed without asking for every scripted answer."""


class ProviderError(GatewayError):
    """
    The provider refused or failed.

    Args:
        message: What happened, with the provider's own words.

        kind: The kind of failure; branch on this.

        provider: The provider's name.

        status: HTTP status, or None when there was no reply.

        retry_after_s: Seconds to wait, as the provider states, or None.

        usage: Tokens spent before the failure, or None when unknown.

        raw: The reply as text, cut at 2,000 characters, or None.
    """

    _RETRYABLE = frozenset({"rate_limited", "overloaded", "timeout", "connection", "server"})

    def __init__(
        self,
        message: str,
        *,
        kind: ErrorKind,
        provider: str | None = None,
        status: int | None = None,
        retry_after_s: float | None = None,
        usage: TokenUsage | None = None,
        raw: str | None = None,
        cause: str | None = None,
        fix: str | None = None,
        may_be_billed: bool = False,
    ) -> None:
        super().__init__(message, cause=cause, fix=fix)
        self._kind: ErrorKind = kind
        self.provider = provider
        self.status = status
        self.retry_after_s = retry_after_s
        self.usage = usage
        self.raw = raw
        self.has_begun = False
        """Whether a stream had handed out content before it failed; it is then not tried again."""
        self.may_be_billed = may_be_billed
        """Whether the provider may have worked on the request although no usage came back, as after a read timeout."""
        self.holder: RecordHolder | None = None
        """Holds the record of the call, where it was recorded or replayed."""

    @property
    def kind(self) -> ErrorKind:
        """The kind of failure."""
        return self._kind

    @property
    def is_retryable(self) -> bool:
        """Whether the same request may succeed later."""
        return self.kind in self._RETRYABLE


class AllFallbacksFailedError(ProviderError):
    """
    Neither the requested model nor one of its fallbacks answered.

    Args:
        errors: The error of each, in the order of the calls; the facts of the last are this error's own.
    """

    def __init__(self, errors: list[ProviderError]) -> None:
        last = errors[-1]
        super().__init__(
            f"none of {len(errors)} models answered",
            kind=last.kind,
            provider=last.provider,
            status=last.status,
            retry_after_s=last.retry_after_s,
            usage=last.usage,
            raw=last.raw,
            cause="\n".join(error.message for error in errors),
            fix=last.fix,
        )
        self.errors = errors


class CircuitOpenError(ProviderError):
    """
    The provider failed too often just now; nothing was sent.

    Args:
        provider: The provider's name.

        failures: How many attempts in a row failed.

        retry_after_s: Seconds until one attempt is let through again.

        last: How the last of them failed.
    """

    def __init__(self, provider: str, failures: int, retry_after_s: float, last: ProviderError) -> None:
        super().__init__(
            f"{provider} was not called: its last {failures} attempts failed",
            kind="overloaded",
            provider=provider,
            retry_after_s=retry_after_s,
            cause=f"the last one: {last.message}",
            fix=f"try again in {math.ceil(retry_after_s)} s, name a model that answers instead (LLM_FALLBACK_MODELS), "
            "or raise LLM_CIRCUIT_FAILURES",
        )
        self.failures = failures


class ContextWindowError(ProviderError):
    """
    Not even the last turn of the conversation fits in what is allowed; nothing was sent.

    Args:
        message: What happened, with values.

        tokens: Of the whole conversation, by the estimate.

        limit: As it was set.
    """

    def __init__(self, message: str, *, tokens: int, limit: int, cause: str, fix: str) -> None:
        super().__init__(message, kind="context_window", cause=cause, fix=fix)
        self.tokens = tokens
        self.limit = limit


class StructuredOutputError(GatewayError):
    """
    The answer does not satisfy the schema, or was cut off.

    *text* is the answer as it came, *usage* what it cost in tokens over all attempts.
    """

    def __init__(
        self,
        message: str,
        *,
        text: str,
        usage: TokenUsage | None,
        cause: str | None = None,
        fix: str | None = None,
    ) -> None:
        super().__init__(message, cause=cause, fix=fix)
        self.text = text
        self.usage = usage


class _OverBudgetError(GatewayError):
    @property
    def kind(self) -> ErrorKind:
        """Always ``budget_exceeded``."""
        return "budget_exceeded"


class CostLimitExceededError(_OverBudgetError):
    """The call would pass the cost limit that was set; it was not sent."""


class BudgetExceededError(_OverBudgetError):
    """The calls of a test have used up its budget; the call was not made."""


class UnsupportedParamWarning(UserWarning):
    """An option was left out of a call, because the API or the model does not take it."""


class LedgerError(GatewayError):
    """The ledger of calls cannot be written or read; what was in it is as it was."""


class SnapshotError(GatewayError):
    """A value cannot be written to a snapshot, or a stored one cannot be read; the file is as it was."""
