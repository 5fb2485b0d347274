"""Exchanges into a cassette file: scrubbed, looked over once more for secrets, and written in one step."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from llm_gateway.cassettes import document, store
from llm_gateway.cassettes.format import http_to_mapping
from llm_gateway.cassettes.match import Normalize
from llm_gateway.cassettes.process_format import process_to_mapping
from llm_gateway.exceptions import CassetteSaveError, CassetteSecretError
from llm_gateway.exchange import Exchange, HttpExchange
from llm_gateway.redaction.scrub import Scrubber, find_secrets

__all__ = ["write"]


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
    _refuse_secrets(path, text, environ)
    store.write(path, text)


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


def _refuse_secrets(path: Path, text: str, environ: Mapping[str, str]) -> None:
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
