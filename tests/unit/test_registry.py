"""Third-party providers: registered in code, or installed as a package."""

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


class Minimal:
    """Provider with only the required methods."""

    def __init__(self, config):
        self.config = config

    async def complete(self, messages, response_model=None):
        return LLMResponse(messages[-1].text, "minimal", self.config.model or "none")

    async def close(self):
        pass


@pytest.fixture(autouse=True)
def forgotten(monkeypatch):
    """Unregister all providers after the test."""
    monkeypatch.setattr(registry, "_registered", {})


def test_a_registered_provider_is_used_by_name():
    """By its name alone, and as the prefix of a model."""
    register_provider("minimal", Minimal)

    assert "minimal" in list_providers()
    assert isinstance(build_provider("minimal", GatewayConfig()), Minimal)
    with SyncLLMClient(model="minimal:loud") as llm:
        assert ("hi", "loud") == (llm.chat("hi").content, llm.provider.config.model)


@pytest.mark.parametrize("name", ["", "a:b"])
def test_an_empty_name_or_one_with_a_colon_is_an_error(name):
    """A colon separates provider and model."""
    with pytest.raises(ConfigError, match="a provider cannot be called"):
        register_provider(name, Minimal)


def test_an_installed_package_adds_providers(tmp_path):
    """Its entry point is loaded when a provider is first looked up."""
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


def test_attempts_have_the_registered_name_of_the_provider():
    """Prices and totals use it, whatever its class is called."""
    register_provider("minimal", Minimal)
    with SyncLLMClient(model="minimal:loud") as llm:
        assert ["minimal"] == [one.provider for one in llm.chat("hi").attempts]
