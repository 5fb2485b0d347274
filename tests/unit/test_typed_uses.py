"""The files that type checkers read use the whole public interface."""

import ast
import inspect
from pathlib import Path

import pytest

import llm_gateway
from llm_gateway.client.options import ChatOptions

FILES = sorted((Path(__file__).parents[1] / "typing").glob("*.py"))
BUILDERS = {"call", "counting", "lister", "request", "split"}
"""What the two clients are made of; no user calls them."""


@pytest.fixture(scope="module")
def used():
    """Return the names, attributes and keywords in those files."""
    nodes = [node for file in FILES for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))]
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    attributes = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    return names, attributes, {node.arg for node in nodes if isinstance(node, ast.keyword)}


def public(cls):
    return {name for name, _ in inspect.getmembers(cls) if not name.startswith("_")}


def test_every_public_name_is_used(used):
    """All names that `llm_gateway` exports."""
    assert set() == set(llm_gateway.__all__) - used[0]


@pytest.mark.parametrize("cls", [llm_gateway.LLMClient, llm_gateway.SyncLLMClient, llm_gateway.FakeLLMProvider])
def test_every_method_is_used(cls, used):
    """Of both clients, and of the provider for tests."""
    assert set() == public(cls) - BUILDERS - used[1]


@pytest.mark.parametrize("function", [llm_gateway.LLMClient, llm_gateway.register_model, llm_gateway.GatewayConfig])
def test_every_argument_is_used(function, used):
    """Of a client, of its settings, and of a registered model."""
    taken = {one.name for one in inspect.signature(function).parameters.values() if one.kind is one.KEYWORD_ONLY}
    assert {one for one in taken if one[0] != "_"} <= used[2]


def test_every_option_of_a_call_is_used(used):
    """As listed in `ChatOptions`."""
    assert set() == ChatOptions.__optional_keys__ - used[2]
