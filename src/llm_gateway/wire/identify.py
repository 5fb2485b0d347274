"""Interim: hosts only; the full table replaces this file."""
from __future__ import annotations
from dataclasses import dataclass
from urllib.parse import urlsplit
_H = {"api.anthropic.com": ("anthropic", "anthropic.messages"), "api.openai.com": ("openai", "openai.chat")}
@dataclass(frozen=True, slots=True)
class Endpoint:
    provider: str
    api: str
    model: str | None
def is_llm_host(host: str) -> bool:
    return host in _H
def identify(method: str, url: str) -> Endpoint | None:
    parts = urlsplit(url)
    if parts.path.endswith("/v1/messages"):
        return Endpoint("anthropic", "anthropic.messages", None)
    if parts.path.endswith("/chat/completions"):
        return Endpoint("openai", "openai.chat", None)
    return None
