"""The litellm provider, without litellm installed."""

import os
import sys

import pytest

from llm_gateway.config import GatewayConfig
from llm_gateway.exceptions import ConfigError
from llm_gateway.providers import litellm
from llm_gateway.registry import build_provider


def test_missing_litellm_is_an_error_with_the_install_command(monkeypatch):
    """It names the extra that conflicts."""
    monkeypatch.setitem(sys.modules, "litellm", None)

    with pytest.raises(ConfigError) as error:
        build_provider("litellm", GatewayConfig())

    assert str(error.value) == (
        "'litellm' cannot be called: litellm is not installed\n"
        "  litellm pins an openai SDK older than 3, so it needs an environment without the extra [openai]\n"
        "  pip install 'pytest-llm-gateway[litellm]'"
    )


def test_an_incompatible_litellm_is_an_error_that_names_the_conflict(monkeypatch, tmp_path):
    """As after a forced installation next to a newer openai SDK."""
    for name in litellm._OFFLINE:
        monkeypatch.setenv(name, "True")  # so that it is taken away again
    monkeypatch.delitem(sys.modules, "litellm", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "litellm.py").write_text("raise ImportError(\"cannot import name 'X' from 'openai'\")")

    with pytest.raises(ConfigError) as error:
        build_provider("litellm", GatewayConfig())

    assert str(error.value) == (
        "'litellm' cannot be called: its import fails: cannot import name 'X' from 'openai'\n"
        "  litellm pins an openai SDK older than 3, so it needs an environment without the extra [openai]\n"
        "  python -m venv lite && lite/bin/pip install 'pytest-llm-gateway[litellm]'"
    )


def test_key_and_url_are_passed_to_litellm(monkeypatch, tmp_path):
    """Litellm is set to download no files and print nothing."""
    for name in litellm._OFFLINE:
        monkeypatch.setenv(name, "True")
        monkeypatch.delenv(name)
    monkeypatch.delitem(sys.modules, "litellm", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "litellm.py").write_text("")

    plain = build_provider("litellm", GatewayConfig()).client
    ours = build_provider("litellm", GatewayConfig(api_key="k", base_url="https://llm.example.com/v1")).client

    once = {"num_retries": 0, "max_retries": 0, "timeout": 60.0}
    assert once == plain.options
    assert once | {"api_key": "k", "api_base": "https://llm.example.com/v1"} == ours.options
    assert "'k'" not in repr(ours)
    assert {"True"} == {os.environ[name] for name in litellm._OFFLINE}
    assert plain.functions.suppress_debug_info
