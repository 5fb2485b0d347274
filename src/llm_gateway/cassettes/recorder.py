"""Recording into a cassette file: what is being recorded, the secrets in it, and the writing of it in one step."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from llm_gateway.cassettes import document
from llm_gateway.cassettes.format import http_to_mapping
from llm_gateway.cassettes.match import Normalize
from llm_gateway.cassettes.process_format import process_to_mapping
from llm_gateway.cassettes.recording import Recording
from llm_gateway.exceptions import CassetteSaveError, CassetteSecretError
from llm_gateway.exchange import Exchange, HttpExchange
from llm_gateway.redaction.scrub import Scrubber, find_secrets
from llm_gateway.redaction.secret_values import secret_variables, sent_secrets
from llm_gateway.types import WireRequest

__all__ = ["Recorder", "write"]


class Recorder:
    """
    The exchanges of one test that are recorded, in the order in which they began. Usable from any thread.

    Args:
        path: The file that `save` writes.

        environ: Variables whose secret values are kept out of the file and out of every text.

        is_writing: Whether exchanges are kept; otherwise they only pass through.

        before_save: Applied to each request that is written.
    """

    def __init__(
        self, path: Path, environ: Mapping[str, str], *, is_writing: bool, before_save: Normalize | None = None
    ) -> None:
        self._path = path
        self._environ = environ
        self._is_writing = is_writing
        self._before_save = before_save
        self._exchanges: list[Exchange | None] = []
        self._open: list[Recording] = []
        self._secrets: dict[str, str] = {}
        self._lock = threading.Lock()

    def begin(self, request: WireRequest, on_end: Callable[[HttpExchange], None]) -> Recording:
        """Record *request*, which is about to be sent; *on_end* gets the exchange when it is over."""
        with self._lock:
            # Set only while the test runs, they would be unknown when the file is written.
            self._secrets.update(secret_variables(self._environ))
            self._secrets.update(sent_secrets(request.headers))
            place = len(self._exchanges)
            self._exchanges.append(None)

        def end(exchange: HttpExchange) -> None:
            self._exchanges[place] = exchange if self._is_writing else None
            on_end(exchange)

        recording = Recording(request, end)
        self._open.append(recording)
        return recording

    def add(self, exchange: Exchange) -> None:
        """Keep *exchange*, which has ended already."""
        if self._is_writing:
            with self._lock:
                self._exchanges.append(exchange)

    def end_open(self) -> None:
        """End the recordings of replies that the test left unread."""
        for recording in list(self._open):
            recording.finish("partial")
        self._open.clear()

    def scrubber(self) -> Scrubber:
        """Return a scrubber that knows the secrets that were sent so far."""
        return Scrubber({**self._secrets, **self._environ})

    def save(self, kept: dict[str, Any] | None = None) -> bool:
        """
        Write what was recorded, after the entries of *kept*; return whether the file was written.

        A test that recorded nothing changes nothing: a recording is never replaced by its absence.

        Raises:
            CassetteSaveError: The file could not be written; the old one is as it was.
            CassetteSecretError: A secret was left in it; nothing was written.
        """
        exchanges = [exchange for exchange in self._exchanges if exchange is not None]
        if not exchanges:
            return False
        environ = {**self._secrets, **self._environ}
        write(self._path, exchanges, kept=kept, environ=environ, before=self._before_save)
        return True


def write(
    path: Path,
    exchanges: Sequence[Exchange],
    *,
    kept: dict[str, Any] | None = None,
    environ: Mapping[str, str],
    before: Normalize | None = None,
) -> None:
    """
    Write *exchanges* to *path*, after the entries of *kept* where given.

    Raises:
        CassetteSaveError: The file could not be written; the old one is as it was.
        CassetteSecretError: Something that looks like a secret was left; nothing was written.
    """
    scrubber = Scrubber(environ)
    clean = [scrubber.scrub(_rewritten(exchange, before)) for exchange in exchanges]
    content: dict[str, Any] = dict(kept or {"version": document.VERSION, "interactions": []})
    http = [http_to_mapping(exchange) for exchange in clean if isinstance(exchange, HttpExchange)]
    runs = [process_to_mapping(exchange) for exchange in clean if not isinstance(exchange, HttpExchange)]
    content["interactions"] = [*(content.get("interactions") or []), *http]
    if runs or content.get("processes"):
        content["processes"] = [*(content.get("processes") or []), *runs]
    text = _dumped(path, content)
    _raise_for_secrets(path, text, environ)
    document.write(path, text)


def _dumped(path: Path, content: dict[str, Any]) -> str:
    try:
        return document.dump(content)
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        raise CassetteSaveError(
            f"cannot write cassette {document.shown(path)}; the old one is as it was",
            cause=f"it cannot be put into YAML: {error}",
            fix="leave that exchange out with @pytest.mark.llm(ignore_hosts=[...]), and report it",
        ) from error


def _rewritten(exchange: Exchange, before: Normalize | None) -> Exchange:
    if before is None or not isinstance(exchange, HttpExchange):
        return exchange
    return dataclasses.replace(exchange, request=before(exchange.request))


def _raise_for_secrets(path: Path, text: str, environ: Mapping[str, str]) -> None:
    findings = find_secrets(text, environ)
    if not findings:
        return
    listed = "\n".join(f"line {finding.line}: {finding.kind} {finding.masked}" for finding in findings[:5])
    raise CassetteSecretError(
        f"{document.shown(path)} would hold {len(findings)} secrets; nothing was saved",
        cause=listed,
        fix="keep the secret out of what the test sends, or remove it in a hook: "
        "def pytest_llm_before_save(request) in conftest.py",
    )
