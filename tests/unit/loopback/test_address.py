"""Paths of the loopback server name a provider, and are translated to its URL."""

import pytest

from llm_gateway.loopback.address import candidates, provider_at, served_providers, variables
from llm_gateway.wire.identify import identify

SIGNED = (("Authorization", "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261121/eu-west-1/bedrock/aws4_request, ..."),)


def real(target, headers=(), environ=None, recorded=()):
    return list(candidates(*provider_at(target), headers, environ or {}, recorded))


@pytest.mark.parametrize(
    ("target", "url"),
    [
        ("/anthropic/v1/messages", "https://api.anthropic.com/v1/messages"),
        ("/openai/v1/chat/completions?a=b", "https://api.openai.com/v1/chat/completions?a=b"),
        ("/groq/openai/v1/chat/completions", "https://api.groq.com/openai/v1/chat/completions"),
        ("/ollama/api/chat", "http://localhost:11434/api/chat"),
        ("/bedrock/model/m/converse", "https://bedrock-runtime.us-east-1.amazonaws.com/model/m/converse"),
        (
            "/vertex/v1/projects/p/locations/europe-west1/x",
            "https://europe-west1-aiplatform.googleapis.com/v1/projects/p/locations/europe-west1/x",
        ),
        (
            "/vertex/v1/projects/p/locations/global/x",
            "https://aiplatform.googleapis.com/v1/projects/p/locations/global/x",
        ),
        (
            "/vertex/v1/projects/p/locations/eu/x",
            "https://aiplatform.eu.rep.googleapis.com/v1/projects/p/locations/eu/x",
        ),
        ("/vertex/v1/publishers/x", "https://aiplatform.googleapis.com/v1/publishers/x"),
    ],
)
def test_the_first_part_of_a_path_names_the_provider(target, url):
    """The rest is the path at the provider."""
    assert [url] == real(target)


def test_every_provider_is_identified_by_the_translated_url():
    """As it is for calls without the server."""
    found = {name: real(f"/{name}/v1/chat/completions")[-1] for name in served_providers()}

    assert {name: name for name in served_providers()} == {
        name: identify("POST", url).provider for name, url in found.items()
    }


def test_the_region_is_read_from_the_aws_signature():
    """Without a signature it is read from the environment."""
    assert ["https://bedrock-runtime.eu-west-1.amazonaws.com/model/m/converse"] == real(
        "/bedrock/model/m/converse", SIGNED
    )
    assert ["https://bedrock-runtime.ap-south-1.amazonaws.com/x"] == real(
        "/bedrock/x", (), {"AWS_REGION": "ap-south-1"}
    )


def test_base_url_variables_of_the_user_take_precedence():
    """Such as those of a proxy, with its path."""
    environ = {"OPENAI_BASE_URL": "https://proxy.example.com/llm/v1/", "OLLAMA_HOST": "gpu:11434"}

    assert ["https://proxy.example.com/llm/v1/responses"] == real("/openai/v1/responses", environ=environ)
    assert ["http://gpu:11434/api/chat"] == real("/ollama/api/chat", environ=environ)


def test_urls_of_recorded_hosts_come_first():
    """The path does not contain the host if that is the user's own resource."""
    recorded = ["https://mine.openai.azure.com/openai/v1/responses", "https://api.anthropic.com/v1/messages"]

    assert [
        "https://mine.openai.azure.com/openai/v1/chat/completions",
        "https://{resource}.openai.azure.com/openai/v1/chat/completions",
    ] == real("/azure/openai/v1/chat/completions", recorded=recorded)


def test_a_path_without_a_provider_has_no_url():
    """None is returned."""
    assert provider_at("/v1/messages") is None


def test_variables_point_sdks_to_the_server():
    """Each with the path that its SDK expects."""
    found = variables("http://127.0.0.1:1")

    assert "http://127.0.0.1:1/openai/v1" == found["OPENAI_BASE_URL"]
    assert "http://127.0.0.1:1/anthropic" == found["ANTHROPIC_BASE_URL"]
