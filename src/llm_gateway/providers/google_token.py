"""Access tokens of Google Cloud, from the credentials that google-auth finds."""

from __future__ import annotations

import dataclasses
import functools
import importlib
import importlib.util
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from llm_gateway.exceptions import ConfigError, MissingKeyError, ProviderError
from llm_gateway.providers.auth import Key
from llm_gateway.types import WireRequest

__all__ = ["GoogleToken"]

_RENEW = "check GOOGLE_APPLICATION_CREDENTIALS, or log in again: gcloud auth application-default login"
_SCOPE = "https://www.googleapis.com/auth/cloud-platform"


class GoogleToken:
    """
    An access token, fetched at the first request, and again shortly before it expires. Thread-safe.

    Args:
        timeout_s: Timeout of one request for a token, in seconds.

    Raises:
        ConfigError: google-auth is not installed.
    """

    def __init__(self, timeout_s: float) -> None:
        _require()
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self._credentials: Any = None

    @property
    def may_wait(self) -> bool:
        """Return whether the token has to be fetched."""
        return not self._is_fresh()

    def apply(self, request: WireRequest) -> WireRequest:
        """
        Return *request* with the token.

        Raises:
            MissingKeyError: There are no credentials.
            ProviderError: Google returned no token.
        """
        with self._lock:
            if not self._is_fresh():
                self._fetch()
            token, project = self._credentials.token, self._credentials.quota_project_id
        signed = Key(token).apply(request)
        billed = (("x-goog-user-project", project),) if project else ()
        return dataclasses.replace(signed, headers=(*signed.headers, *billed))

    def _is_fresh(self) -> bool:
        return self._credentials is not None and self._credentials.valid

    def _fetch(self) -> None:
        auth: Any = importlib.import_module("google.auth")
        transport: Any = importlib.import_module("google.auth.transport.requests")
        requests: Any = importlib.import_module("requests")
        with _errors_translated(), requests.Session() as session:
            if self._credentials is None:
                self._credentials, _ = auth.default(scopes=[_SCOPE])
            self._credentials.refresh(functools.partial(transport.Request(session), timeout=self._timeout_s))


def _require() -> None:
    # `google` is a namespace that other packages fill too: its parts are checked one by one.
    names = ("google", "google.auth", "requests")
    if missing := next((name for name in names if importlib.util.find_spec(name) is None), None):
        raise ConfigError(
            f"'vertex' cannot get a token: {missing!r} is not installed",
            cause="tokens of Google Cloud come from google-auth",
            fix="pip install 'pytest-llm-gateway[vertex]'",
        )


@contextmanager
def _errors_translated() -> Generator[None]:
    errors: Any = importlib.import_module("google.auth.exceptions")
    try:
        yield
    except errors.DefaultCredentialsError as error:
        raise MissingKeyError(
            "no credentials for 'vertex'",
            cause=_first_line(error),
            fix="gcloud auth application-default login\n"
            "or export GOOGLE_APPLICATION_CREDENTIALS=/path/to/service-account.json",
        ) from error
    except errors.GoogleAuthError as error:
        is_away = isinstance(error, errors.TransportError)
        raise ProviderError(
            "cannot reach Google for a token" if is_away else "Google gives no token for the credentials of 'vertex'",
            kind="connection" if is_away else "server" if error.retryable else "auth",
            provider="vertex",
            cause=_first_line(error),
            fix=None if is_away or error.retryable else _RENEW,
        ) from error


def _first_line(error: Exception) -> str:
    """Return the message of an error of google-auth, without the whole reply that follows it."""
    return str(error.args[0] if error.args else error).partition("\n")[0]
