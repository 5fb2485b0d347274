"""Lists of models: how each provider's is read, and how two are merged.

The bodies are written after each provider's documentation and the types of its SDK; none was recorded.
"""

import dataclasses
from datetime import UTC, datetime

import pytest

from llm_gateway.wire import model_lists
from llm_gateway.wire.limits import most_output, published
from llm_gateway.wire.models import CAPABILITIES, ModelInfo, find_model, merge_lists

MONDAY = datetime(2026, 11, 16, tzinfo=UTC)
FRIDAY = datetime(2026, 11, 20, tzinfo=UTC)


def day(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def words(text):
    return frozenset(text.split())


CLAUDE = {
    "type": "model",
    "id": "claude-haiku-4-5-20251001",
    "display_name": "Claude Haiku 4.5",
    "created_at": "2025-10-01T00:00:00Z",
    "lifecycle": "deprecated",
    "deprecated_at": "2026-10-15T00:00:00Z",
    "retires_at": "2027-04-15T00:00:00Z",
    "max_input_tokens": 200_000,
    "max_tokens": 64_000,
    "capabilities": {
        "batch": {"supported": True},
        "image_input": {"supported": True},
        "pdf_input": {"supported": True},
        "structured_outputs": {"supported": True},
        "thinking": {"supported": False},
    },
}
GPT = {"id": "gpt-4o", "object": "model", "created": 1_715_367_049, "owned_by": "system", "shutdown_date": "2027-03-01"}
TUNED = {"id": "ft:gpt-4o:acme::7p4l", "object": "model", "created": 1_715_367_049, "owned_by": "acme"}
DEPLOYMENT = {"id": "mine", "object": "deployment", "model": "gpt-35-turbo", "created_at": 1_681_171_441}
CARD = {
    "id": "mistral-medium-2505",
    "object": "model",
    "created": 1_746_600_000,
    "owned_by": "mistralai",
    "max_context_length": 131_072,
    "deprecation": "2026-12-31T12:00:00Z",
    "deprecation_replacement_model": "mistral-medium-latest",
    "type": "base",
    "capabilities": {"completion_chat": True, "function_calling": True, "vision": True, "moderation": False},
}
COMMAND = {
    "name": "command-a-03-2025",
    "is_deprecated": False,
    "endpoints": ["chat"],
    "finetuned": False,
    "context_length": 288_000.0,
    "features": ["json_schema", "logprobs", "tools"],
}
GEMINI = {
    "name": "models/gemini-2.5-flash",
    "inputTokenLimit": 1_048_576,
    "outputTokenLimit": 65_536,
    "supportedGenerationMethods": ["generateContent", "countTokens"],
    "thinking": True,
}
HOSTED = {
    "id": "meta/llama",
    "created": 1_733_000_000,
    "type": "chat",
    "organization": "Meta",
    "context_length": 131_072,
}
FOUNDATION = {
    "modelArn": "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0",
    "modelId": "amazon.nova-lite-v1:0",
    "providerName": "Amazon",
    "inputModalities": ["TEXT", "IMAGE", "VIDEO"],
    "outputModalities": ["TEXT"],
    "responseStreamingSupported": True,
    "inferenceTypesSupported": ["ON_DEMAND"],
    "modelLifecycle": {
        "status": "LEGACY",
        "startOfLifeTime": "2024-12-03T00:00:00Z",
        "legacyTime": "2026-03-01T00:00:00Z",
        "endOfLifeTime": "2026-09-01T00:00:00Z",
    },
}
EMBEDDER = {
    "modelId": "amazon.titan-embed-text-v2:0",
    "outputModalities": ["EMBEDDING"],
    "responseStreamingSupported": False,
    "modelLifecycle": {"status": "ACTIVE", "endOfLifeTime": "2027-09-01T00:00:00Z"},
}
PROFILE = {
    "inferenceProfileName": "US Nova Lite",
    "inferenceProfileId": "us.amazon.nova-lite-v1:0",
    "createdAt": "2024-12-03T00:00:00Z",
    "status": "ACTIVE",
    "type": "SYSTEM_DEFINED",
    "models": [{"modelArn": "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0"}],
}
PUBLISHED = {"name": "publishers/google/models/gemini-2.5-flash", "versionId": "default", "launchStage": "GA"}
ROUTED = {
    "id": "openai/gpt-4",
    "created": 1_692_901_234,
    "context_length": 8_192,
    "architecture": {"input_modalities": ["text", "image"], "output_modalities": ["text"]},
    "top_provider": {"max_completion_tokens": 4_096, "is_moderated": True},
    "supported_parameters": ["temperature", "tools", "structured_outputs"],
    "expiration_date": "2027-06-30",
    "pricing": {"prompt": "0.00003"},
}


@pytest.mark.parametrize(
    ("listing", "body", "expected"),
    [
        (
            model_lists.ANTHROPIC,
            {"data": [CLAUDE], "has_more": False, "last_id": "claude-haiku-4-5-20251001"},
            {
                "id": "claude-haiku-4-5-20251001",
                "created": day("2025-10-01"),
                "context_tokens": 200_000,
                "max_output_tokens": 64_000,
                "capabilities": words("chat streaming tools images pdf json_schema"),
                "lifecycle": "deprecated",
                "deprecated_at": day("2026-10-15"),
                "retires_at": day("2027-04-15"),
                "owner": "anthropic",
            },
        ),
        (
            model_lists.OPENAI,
            {"object": "list", "data": [GPT]},
            {
                "id": "gpt-4o",
                "created": day("2024-05-10T18:50:49"),
                "retires_at": day("2027-03-01"),
                "owner": "system",
            },
        ),
        (
            model_lists.OPENAI,
            {"data": [TUNED]},
            {
                "id": "ft:gpt-4o:acme::7p4l",
                "created": day("2024-05-10T18:50:49"),
                "owner": "acme",
                "is_fine_tuned": True,
            },
        ),
        (
            model_lists.AZURE,
            {"data": [DEPLOYMENT]},
            {
                "id": "mine",
                "created": day("2023-04-11T00:04:01"),
                "context_tokens": None,
                "max_output_tokens": None,
            },
        ),
        (
            model_lists.MISTRAL,
            {"data": [CARD]},
            {
                "id": "mistral-medium-2505",
                "created": day("2025-05-07T06:40:00"),
                "context_tokens": 131_072,
                "capabilities": words("chat streaming tools images"),
                "retires_at": day("2026-12-31T12:00:00"),
                "replaced_by": "mistral-medium-latest",
                "owner": "mistralai",
            },
        ),
        (
            model_lists.COHERE,
            {"models": [COMMAND]},
            {
                "id": "command-a-03-2025",
                "context_tokens": 288_000,
                "capabilities": words("chat streaming tools json_schema"),
                "refuses": words("images"),
            },
        ),
        (
            model_lists.GEMINI,
            {"models": [GEMINI]},
            {
                "id": "gemini-2.5-flash",
                "context_tokens": 1_048_576,
                "max_output_tokens": 65_536,
                "capabilities": words("chat streaming reasoning"),
                "owner": "google",
            },
        ),
        (
            model_lists.BEDROCK,
            {"modelSummaries": [FOUNDATION]},
            {
                "id": "amazon.nova-lite-v1:0",
                "created": day("2024-12-03"),
                "capabilities": words("chat streaming images"),
                "lifecycle": "deprecated",
                "deprecated_at": day("2026-03-01"),
                "retires_at": day("2026-09-01"),
                "owner": "Amazon",
            },
        ),
        (
            model_lists.BEDROCK,
            {"modelSummaries": [EMBEDDER]},
            {"id": "amazon.titan-embed-text-v2:0", "capabilities": words("embeddings"), "lifecycle": "active"},
        ),
        (
            model_lists.BEDROCK.also,
            {"inferenceProfileSummaries": [PROFILE]},
            {"id": "us.amazon.nova-lite-v1:0", "created": day("2024-12-03"), "lifecycle": "active"},
        ),
        (model_lists.VERTEX, {"publisherModels": [PUBLISHED]}, {"id": "gemini-2.5-flash", "owner": "google"}),
        (
            model_lists.TOGETHER,
            [HOSTED],
            {
                "id": "meta/llama",
                "created": day("2024-11-30T20:53:20"),
                "context_tokens": 131_072,
                "capabilities": words("chat streaming"),
                "owner": "Meta",
            },
        ),
        (
            model_lists.OPENROUTER,
            {"data": [ROUTED]},
            {
                "id": "openai/gpt-4",
                "created": day("2023-08-24T18:20:34"),
                "context_tokens": 8_192,
                "max_output_tokens": 4_096,
                "capabilities": words("chat streaming images tools json_schema"),
                "retires_at": day("2027-06-30"),
            },
        ),
        (model_lists.OLLAMA, {"models": [{"name": "llama3.2:latest", "size": 1}]}, {"id": "llama3.2:latest"}),
    ],
)
def test_a_list_is_read_without_guesses(listing, body, expected):
    """Everything else is None."""
    (model,) = listing.decode("host", body).models

    assert ModelInfo(**{"provider": "host", **expected}) == model
    assert (model.capabilities or frozenset()) <= CAPABILITIES


def test_a_deployment_has_the_limits_of_the_model_behind_it():
    """Whatever it is called."""
    (model,) = model_lists.AZURE.decode("azure", {"data": [DEPLOYMENT]}).models
    assert ("mine", 16_385, 4_096) == (model.id, model.context_tokens, model.max_output_tokens)


def test_ollama_gets_one_request_for_each_model():
    """The context window is under the architecture's name."""
    detail = model_lists.OLLAMA.detail
    bare = ModelInfo("llama3.2:latest", "ollama")
    facts = {"general.architecture": "llama", "llama.context_length": 131_072}
    body = {"capabilities": ["completion", "tools", "insert"], "model_info": facts}

    assert {"model": "llama3.2:latest"} == detail.encode(bare)
    assert dataclasses.replace(
        bare,
        context_tokens=131_072,
        capabilities=words("chat streaming tools"),
        refuses=words("images reasoning_effort"),
    ) == detail.decode(bare, body)
    assert bare == detail.decode(bare, {})


@pytest.mark.parametrize(
    ("listing", "body", "query"),
    [
        (model_lists.ANTHROPIC, {"data": [], "has_more": True, "last_id": "a/b"}, "limit=1000&after_id=a/b"),
        (model_lists.COHERE, {"models": [], "next_page_token": "t=1"}, "page_size=1000&page_token=t%3D1"),
        (model_lists.GEMINI, {"models": [], "nextPageToken": "t"}, "pageSize=1000&pageToken=t"),
        (model_lists.OPENROUTER, {"data": [], "links": {"next": "/api/v1/models?offset=500"}}, "offset=500"),
        (model_lists.ANTHROPIC, {"data": [], "has_more": False, "last_id": "a"}, None),
        (model_lists.OPENROUTER, {"data": [], "links": {"next": None}}, None),
    ],
)
def test_a_page_has_the_query_of_the_next(listing, body, query):
    """None at the end."""
    assert query == listing.decode("host", body).next


NAMES = [*model_lists.__all__, "BEDROCK.also"]
EVERY = [getattr(model_lists, name) for name in model_lists.__all__] + [model_lists.BEDROCK.also]
LISTS = ("data", "models", "publisherModels", "modelSummaries", "inferenceProfileSummaries")


@pytest.mark.parametrize("listing", EVERY, ids=NAMES)
def test_junk_in_a_list_is_not_known(listing):
    """Entries without a name are no models; zeros, wrong types and impossible dates are None."""
    odd = {
        "id": "m",
        "name": "m",
        "model": "m",
        "modelId": "m",
        "inferenceProfileId": "m",
        "modelLifecycle": {"status": [], "startOfLifeTime": "soon"},
        "outputModalities": [None],
        "created": 0,
        "created_at": "1970-01-01T00:00:00Z",
        "shutdown_date": "soon",
        "deprecation": 1e300,
        "context_length": 0,
        "max_tokens": -1,
        "max_input_tokens": True,
        "inputTokenLimit": [],
        "endpoints": [None],
        "supported_parameters": 5,
    }
    entries = [odd, None, 5, {}, {"id": 5, "name": "", "model": None, "modelId": []}]
    models = listing.decode("host", dict.fromkeys(LISTS, entries)).models

    assert ["m"] == [one.id for one in models]
    assert [(None,) * 5] == [
        (one.created, one.context_tokens, one.max_output_tokens, one.retires_at, one.deprecated_at) for one in models
    ]


@pytest.mark.parametrize("body", [{}, {"data": None}, {"data": {}}, {"error": "no"}, None, 5, "x"])
@pytest.mark.parametrize("listing", EVERY, ids=NAMES)
def test_what_is_no_list_is_refused(listing, body):
    """It is never taken for an empty one, which would mark every model as gone."""
    with pytest.raises((ValueError, TypeError)):
        listing.decode("host", body)


def test_a_model_that_is_gone_is_marked_and_kept():
    """With the days on which it was first and last seen; it may come back."""
    both = merge_lists([], [ModelInfo("a", "p"), ModelInfo("b", "p", context_tokens=5)], MONDAY)
    one = merge_lists(both, [ModelInfo("a", "p")], FRIDAY)
    again = merge_lists(one, [ModelInfo("b", "p")], FRIDAY)

    assert [("a", None, MONDAY, FRIDAY), ("b", "vanished", MONDAY, MONDAY)] == [
        (m.id, m.lifecycle, m.first_seen, m.last_seen) for m in one
    ]
    assert 5 == one[1].context_tokens
    assert [("b", None), ("a", "vanished")] == [(m.id, m.lifecycle) for m in again]
    assert MONDAY == again[0].first_seen


@pytest.mark.parametrize(
    ("facts", "is_deprecated"),
    [
        ({}, False),
        ({"lifecycle": "active"}, False),
        ({"lifecycle": "deprecated"}, True),
        ({"lifecycle": "retired"}, True),
        ({"lifecycle": "vanished"}, True),
        ({"deprecated_at": MONDAY}, True),
        ({"deprecated_at": FRIDAY}, False),
        ({"retires_at": FRIDAY}, True),  # an end is announced
        ({"deprecated_at": FRIDAY, "retires_at": day("2027-01-01")}, False),
        ({"deprecated_at": FRIDAY, "retires_at": MONDAY}, True),
    ],
)
def test_deprecation_goes_by_date(facts, is_deprecated):
    """As of a Tuesday."""
    assert is_deprecated is ModelInfo("m", "p", **facts).is_deprecated(day("2026-11-17"))


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("gpt-4o", "gpt-4o"),
        ("models/gpt-4o", "gpt-4o"),
        ("llama3.2", "llama3.2:latest"),
        ("claude-haiku-4-5", "claude-haiku-4-5-20251001"),
        ("claude-haiku-4-5-latest", "claude-haiku-4-5-20251001"),
        ("claude-sonnet-4-0", "claude-sonnet-4-20250514"),
        ("claude-haiku-4-5-20240101", None),
        ("claude-haiku", None),
        ("gpt-4", None),
    ],
)
def test_an_alias_finds_its_newest_version(name, found):
    """A version that is named has to be there."""
    ids = "gpt-4o llama3.2:latest claude-haiku-4-5-20250901 claude-haiku-4-5-20251001 claude-sonnet-4-20250514".split()
    model = find_model([ModelInfo(one, "p") for one in ids], name)
    assert found == (model and model.id)


@pytest.mark.parametrize(
    ("model", "context", "output"),
    [
        ("claude-haiku-5-5", 1_000_000, 128_000),
        ("claude-opus-4-1-20250805", 200_000, 32_000),
        ("anthropic.claude-sonnet-4-5-20250929-v1:0", 200_000, 64_000),
        ("gpt-4o-mini", 128_000, 16_384),
        ("ft:gpt-4o:acme::7p4l", 128_000, 16_384),
        ("gpt-5-mini-2025-08-07", 400_000, 128_000),
        ("gpt-5.4-mini", 400_000, 128_000),
        ("gpt-5.4", 1_050_000, 128_000),
        ("gpt-6.1-sol", 1_050_000, 128_000),
        ("o3-mini", 200_000, 100_000),
        ("gemini-3.1-flash-lite", 1_048_576, 65_536),
        ("gemini-4-argon", 1_048_576, 1_048_576),
        ("gpt-5-image", None, None),
        ("o1-mini", None, None),
        ("my-own", None, None),
    ],
)
def test_published_limits_by_name(model, context, output):
    """None where the table has none; a host that sets its own has none at all."""
    limits = published("openai", model)
    assert (context, output) == (limits.context_tokens, limits.max_output_tokens)
    assert published("groq", model).context_tokens is None


def test_the_most_that_a_model_writes_is_never_unknown():
    """Of its family, else of any model; spending limits rest on it."""
    assert [16_384, 1_048_576, 65_536, 32_768, 128_000] == [
        most_output(one) for one in ("gpt-4o", "gemini-4-argon", "gemini-nano", "mistral-large-latest", "x")
    ]
