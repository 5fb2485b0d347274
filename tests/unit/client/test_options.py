"""Arguments that a client does not take."""

import pytest

from llm_gateway import GatewayConfig, LLMClient, SyncLLMClient

ARGUMENTS = "config, provider, model, api_key, base_url, provider_instance, cost_tracker, cache, observers, session_id"


@pytest.mark.parametrize("make", [SyncLLMClient, LLMClient])
@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"modle": "x"}, f"there is no argument 'modle'\n  did you mean 'model'?\n  arguments are {ARGUMENTS}"),
        (
            {"max_retries": 3},
            (
                "there is no argument 'max_retries'\n  it is a setting of the client\n"
                "  SyncLLMClient(config=GatewayConfig(max_retries=3)), or export LLM_MAX_RETRIES=..."
            ),
        ),
        (
            {"max_retrys": "sk-1"},
            (
                "there is no argument 'max_retrys'\n  did you mean the setting 'max_retries'?\n"
                "  SyncLLMClient(config=GatewayConfig(max_retries=...)), or export LLM_MAX_RETRIES=..."
            ),
        ),
        (
            {"zzz": 1},
            (
                f"there is no argument 'zzz'\n  arguments are {ARGUMENTS}\n"
                "  other settings: SyncLLMClient(config=GatewayConfig(...))"
            ),
        ),
    ],
)
def test_an_argument_that_there_is_not_is_refused_with_what_to_type(make, given, text):
    """As Python does it, by TypeError."""
    with pytest.raises(TypeError) as caught:
        make(**given)

    assert text == str(caught.value)


def test_with_options_refuses_them_too():
    """With its own arguments."""
    with SyncLLMClient(GatewayConfig(api_key="k")) as client, pytest.raises(TypeError) as caught:
        client.with_options(modle="x")

    assert "there is no argument 'modle'\n  did you mean 'model'?\n  arguments are model, provider, session_id" == str(
        caught.value
    )
