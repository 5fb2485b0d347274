"""Providers of third parties, by name: registered in code, or installed as a package."""

import subprocess
import sys
import textwrap

import pytest

from llm_gateway import (
    GatewayConfig,
    LLMResponse,
    SyncLLMClient,
    build_provider,
    list_providers,
    register_provider,
    registry,
)
from llm_gateway.exceptions import ConfigError


class Echo:
    """The least that a provider must have."""

    def __init__(self, config):
        self.config = config

    async def complete(self, messages, response_model=None):
        return LLMResponse(messages[-1].text, "echo", self.config.model or "none")

    async def close(self):
        pass


@pytest.fixture(autouse=True)
def forgotten(monkeypatch):
    """No name outlives its test."""
    monkeypatch.setattr(registry, "_registered", {})


def test_a_registered_provider_is_used_by_name():
    """Alone, and before a model."""
    register_provider("echo", Echo)

    assert "echo" in list_providers()
    assert isinstance(build_provider("echo", GatewayConfig()), Echo)
    with SyncLLMClient(model="echo:loud") as llm:
        assert ("hi", "loud") == (llm.chat("hi").content, llm.provider.config.model)


@pytest.mark.parametrize("name", ["", "a:b"])
def test_a_name_that_could_not_be_told_from_a_model_is_refused(name):
    """Before anything is asked."""
    with pytest.raises(ConfigError, match="a provider cannot be called"):
        register_provider(name, Echo)


def test_an_installed_package_adds_providers(tmp_path):
    """By the entry point group, looked at when the first name is asked for."""
    (tmp_path / "acme.py").write_text(
        textwrap.dedent("""
        from llm_gateway.hookspecs import hookimpl

        @hookimpl
        def llm_gateway_providers():
            return {"acme": lambda config: ("acme", config.region)}
        """)
    )
    info = tmp_path / "acme-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[llm_gateway]\nacme = acme\n")
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from llm_gateway import GatewayConfig, build_provider, list_providers\n"
        "print('acme' in list_providers(), build_provider('acme', GatewayConfig(region='eu')))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)

    assert "True ('acme', 'eu')\n" == done.stdout


def test_a_registered_provider_is_known_by_its_name():
    """To prices and totals, whatever its class is called."""
    register_provider("echo", Echo)
    with SyncLLMClient(model="echo:loud") as llm:
        assert ["echo"] == [one.provider for one in llm.chat("hi").attempts]
