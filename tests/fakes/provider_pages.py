"""
What the documentation repeats of the catalogue of providers: tables, and the keys in ``.env.example``.

``python tests/fakes/provider_pages.py`` writes it, after a change of a provider.
"""

import inspect
import re
from pathlib import Path

from llm_gateway.catalog import PROVIDERS, find
from llm_gateway.config import GatewayConfig
from llm_gateway.exceptions import ConfigError, ProviderError
from llm_gateway.loopback.address import served_providers
from llm_gateway.providers import litellm
from llm_gateway.providers.base import HttpProvider
from llm_gateway.registry import build_provider, resolve
from llm_gateway.types import ChatRequest, ImagePart, LLMMessage, TextPart, Tool

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "providers"
NAMES = sorted(name for name, one in PROVIDERS.items() if one.adapter)
START, END = "<!-- what follows is written by tests/fakes/provider_pages.py -->\n", "<!-- until here -->\n"
EXTRAS = {"bedrock": "bedrock", "litellm": "litellm", "vertex": "vertex"}
"""Extras that a provider needs, at least for some kinds of authentication."""
HANDED_IN = {"anthropic": "one of `[anthropic]`", "litellm": "a `litellm.Router`"}
HERE, THERE = ImagePart(b"x", "image/png"), ImagePart(url="https://example.com/a.png")
TOOL = Tool("weigh", "Weigh something", {"type": "object"})


def made(name):
    """Build the provider with the fewest settings that it needs."""
    settings = {"api_key": "k", "project": "my-project", "region": "us-east-1" if name == "bedrock" else None}
    if name == "litellm":
        return litellm.provider(GatewayConfig(_env_file=None, **settings), client=object())
    try:
        return build_provider(name, GatewayConfig(_env_file=None, **settings))
    except ConfigError:
        return build_provider(name, GatewayConfig(_env_file=None, base_url="https://YOURS", **settings))


def takes(provider, *parts, **options):
    """Return True if the provider can encode a request with *parts*, False if it rejects it."""
    try:
        provider.request(ChatRequest("m", (LLMMessage("user", (TextPart("hi"), *parts)),), **options))
    except ProviderError:
        return False
    return True


def takes_a_client(name):
    return "client" in inspect.signature(resolve(name)).parameters


def address(name, provider):
    if not isinstance(provider, HttpProvider):
        return "a command of this machine"
    if name == "litellm":
        return "where litellm finds it"
    return "yours" if "YOURS" in provider.base_url else f"`{provider.base_url.replace('us-east-1', '<region>')}`"


def code(text):
    return f"`{text}`"


def listed(*names):
    return ", ".join(map(code, names)) or "none"


def images(provider):
    kinds = ["bytes"] * takes(provider, HERE) + ["address"] * takes(provider, THERE)
    return " and ".join(kinds) or "no"


def can(name):
    """Return what one provider supports: tools, images, objects, a list of models and token counts."""
    provider = made(name)
    is_http = isinstance(provider, HttpProvider)
    return {
        "tools": "yes" if takes(provider, tools=(TOOL,)) else "no",
        "images": images(provider),
        "objects": ", ".join(provider.structured) if is_http else "native",
        "lists its models": "yes" if is_http and provider.models else "no",
        "counts tokens": "yes" if is_http and provider.counter else "no",
    }


def facts(name):
    """Return the table of one page."""
    provider = made(name)
    own = getattr(provider, "name", name)
    entry = find(own)
    settings = filter(None, (entry.url_variable, entry.version_variable, entry.project_variable))
    rows = {
        "key": listed(*entry.key_variables),
        "other variables": listed(*settings, *entry.region_variables),
        "extra": listed(*([f"[{EXTRAS[name]}]"] if name in EXTRAS else [])),
        "client to hand in": HANDED_IN.get(name, "one of `[openai]`") if takes_a_client(name) else "none",
        "address": address(name, provider),
        "format": listed(provider.dialect.name),
        "default model": listed(*([provider.default_model] if provider.default_model else [])),
        "chat, streams": "yes",
        **can(name),
    }
    return "| | |\n| --- | --- |\n" + "".join(f"| {label} | {value} |\n" for label, value in rows.items())


def index():
    """Return the table of all pages."""
    head = ["provider", "key", *can("openai")]
    lines = [f"| {' | '.join(head)} |", "|" + " --- |" * len(head)]
    for name in NAMES:
        key = listed(*find(getattr(made(name), "name", name)).key_variables[:1])
        lines.append(f"| [`{name}`]({name}.md) | {key} | {' | '.join(can(name).values())} |")
    return "\n".join(lines) + "\n"


def served():
    """Return the table of the how-to about other processes: the path of each provider on ``llm_server``."""
    lines = ["| provider | variables | is at `llm_server.url` + |", "| --- | --- | --- |"]
    for name in served_providers():
        entry, by_path = find(name), {}
        for variable, path in entry.sdk_url_variables.items():
            by_path.setdefault(f"/{name}{path}", []).append(variable)
        variables = "; ".join(listed(*one) for one in by_path.values())
        lines.append(
            f"| {entry.display_name} | {variables or 'none'} | {'; '.join(map(code, by_path or [f'/{name}']))} |"
        )
    return "\n".join(lines) + "\n"


def with_table(text, table):
    """Return *text* with *table* between its two marks."""
    return re.sub(f"{re.escape(START)}.*?{re.escape(END)}", lambda _: START + table + END, text, flags=re.DOTALL)


def with_keys(text):
    """Return the text of ``.env.example`` with the key of every provider in its first list of variables."""
    keys = [find(name).key_variables[0] for name in PROVIDERS if name in NAMES and find(name).key_variables]
    return re.sub(r"(^# [A-Z_]+=\n)+", "".join(f"# {key}=\n" for key in keys), text, count=1, flags=re.MULTILINE)


def pages():
    """Return the text of every file that repeats the catalogue, as it has to be."""
    tables = {FOLDER / f"{name}.md": facts(name) for name in NAMES}
    tables |= {FOLDER / "README.md": index(), FOLDER.parent / "how-to" / "test-code-in-another-process.md": served()}
    texts = {path: with_table(path.read_text(encoding="utf-8"), table) for path, table in tables.items()}
    example = FOLDER.parents[1] / ".env.example"
    return texts | {example: with_keys(example.read_text(encoding="utf-8"))}


if __name__ == "__main__":
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
