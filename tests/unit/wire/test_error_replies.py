"""Errors that a dialect writes: read back by it, and raised by the official SDK as the provider's own."""

import anthropic
import boto3
import botocore.awsrequest
import botocore.config
import botocore.exceptions
import cohere
import httpx
import httpx2
import ollama
import openai
import pytest
from google import genai

from llm_gateway.wire.base import ErrorFacts
from llm_gateway.wire.dialects import encode_error, find_dialect
from llm_gateway.wire.parts.errors import facts_from_status

STATUSES = {
    400: "invalid_request",
    401: "auth",
    403: "permission",
    404: "not_found",
    429: "rate_limited",
    500: "server",
    503: "overloaded",
    504: "timeout",
    529: "overloaded",
}
APIS = [
    "anthropic.messages",
    "bedrock.converse",
    "cohere.v2.chat",
    "gemini.generate",
    "openai.chat",
    "openai.responses",
]
MESSAGES = [{"role": "user", "content": "hi"}]


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("api", APIS)
def test_its_own_dialect_reads_it_back(api, status):
    """Sort, words and wait are those that were given."""
    facts = facts_from_status(status, "no more", retry_after_s=1.5)
    reply = encode_error(api, status, facts)
    read = find_dialect(api).decode_error(reply.status, reply.headers, reply.body)

    assert (STATUSES[status], "no more", 1.5) == (read.kind, read.message, read.retry_after_s)


@pytest.mark.parametrize("api", [api for api in APIS if not api.startswith("cohere")])
@pytest.mark.parametrize(("kind", "status"), [("quota_exhausted", 429), ("auth", 400), ("overloaded", 500)])
def test_the_type_decides_where_the_status_is_ambiguous(api, kind, status):
    """The type is in the body or in a header."""
    reply = encode_error(api, status, ErrorFacts(kind, "no more"))
    read = find_dialect(api).decode_error(status, reply.headers, reply.body)

    assert kind == read.kind


def test_an_api_without_a_dialect_gets_the_errors_of_its_family():
    """Embeddings of a provider fail as its chat does, and an unknown host as OpenAI does."""
    facts = facts_from_status(429, "no more")

    assert encode_error("cohere.v2.chat", 429, facts) == encode_error("cohere.v2.embed", 429, facts)
    assert encode_error("openai.chat", 429, facts) == encode_error(None, 429, facts)


def by_anthropic(answer):
    with anthropic.Anthropic(api_key="k", max_retries=0, http_client=answer(httpx2)) as client:
        client.messages.create(model="m", max_tokens=9, messages=MESSAGES)


def by_openai(answer):
    with openai.OpenAI(api_key="k", max_retries=0, http_client=answer(httpx2)) as client:
        client.chat.completions.create(model="m", messages=MESSAGES)


def by_responses(answer):
    with openai.OpenAI(api_key="k", max_retries=0, http_client=answer(httpx2)) as client:
        client.responses.create(model="m", input="hi")


def by_google(answer):
    options = genai.types.HttpOptions(httpx_client=answer(httpx2))
    genai.Client(api_key="k", http_options=options).models.generate_content(model="m", contents="hi")


def by_cohere(answer):
    cohere.ClientV2("k", httpx_client=answer(httpx)).chat(
        model="m", messages=MESSAGES, request_options={"max_retries": 0}
    )


def by_ollama(answer):
    client = ollama.Client()
    client._client = answer(httpx, base_url="http://127.0.0.1:11434")
    client.chat("m", MESSAGES)


def by_boto3(answer):
    config = botocore.config.Config(retries={"total_max_attempts": 1})
    keys = {"aws_access_key_id": "k", "aws_secret_access_key": "k"}
    client = boto3.client("bedrock-runtime", region_name="us-east-1", config=config, **keys)
    client.meta.events.register("before-send", answer(None))
    client.converse(modelId="m", messages=[{"role": "user", "content": [{"text": "hi"}]}])


class Raw:
    def __init__(self, body):
        self._body = body

    def stream(self, *args, **options):
        yield self._body


def answering(reply):
    """Clients of any library that get *reply* whatever they ask."""

    def made(module, **options):
        if module is None:
            return lambda request, **more: botocore.awsrequest.AWSResponse(
                request.url, reply.status, dict(reply.headers), Raw(reply.body)
            )
        response = module.Response(reply.status, headers=list(reply.headers), content=reply.body)
        return module.Client(transport=module.MockTransport(lambda request: response), **options)

    return made


def raised(call, reply):
    try:
        call(answering(reply))
    except Exception as error:  # noqa: BLE001  each SDK has its own
        return error
    return None


@pytest.mark.parametrize(
    ("api", "call", "status", "name"),
    [
        ("anthropic.messages", by_anthropic, 429, "RateLimitError"),
        ("anthropic.messages", by_anthropic, 529, "OverloadedError"),
        ("anthropic.messages", by_anthropic, 401, "AuthenticationError"),
        ("openai.chat", by_openai, 429, "RateLimitError"),
        ("openai.chat", by_openai, 503, "InternalServerError"),
        ("openai.responses", by_responses, 404, "NotFoundError"),
        ("gemini.generate", by_google, 429, "ClientError"),
        ("gemini.generate", by_google, 503, "ServerError"),
        ("cohere.v2.chat", by_cohere, 429, "TooManyRequestsError"),
        ("cohere.v2.chat", by_cohere, 503, "ServiceUnavailableError"),
        ("ollama.chat", by_ollama, 404, "ResponseError"),
        ("bedrock.converse", by_boto3, 429, "ThrottlingException"),
        ("bedrock.converse", by_boto3, 503, "ServiceUnavailableException"),
    ],
)
def test_the_official_sdk_raises_its_own(api, call, status, name):
    """The class for that status, with the words that were given."""
    error = raised(call, encode_error(api, status, facts_from_status(status, "no more of it")))

    assert (name, True) == (type(error).__name__, "no more of it" in str(error))


def test_each_sdk_reads_the_type():
    """Where an SDK hands out the provider's own words for the sort, they are there."""
    facts = facts_from_status(429, "no more", retry_after_s=7)
    replies = {api: encode_error(api, 429, facts) for api in APIS}
    google = raised(by_google, replies["gemini.generate"])
    anthropics, openais = raised(by_anthropic, replies["anthropic.messages"]), raised(by_openai, replies["openai.chat"])

    assert ("RESOURCE_EXHAUSTED", "no more") == (google.status, google.message)
    assert ("rate_limit_error", "7") == (anthropics.type, anthropics.response.headers["retry-after"])
    assert ("rate_limit_exceeded", "requests") == (openais.code, openais.type)


def test_every_sdk_reads_a_wait_below_a_second():
    """Cohere reads whole seconds alone, and milliseconds."""
    facts = facts_from_status(429, "no more", retry_after_s=0.001)
    error = raised(by_cohere, encode_error("cohere.v2.chat", 429, facts))

    assert ("0.001", "1") == (error.headers["retry-after"], error.headers["retry-after-ms"])
