"""
Recorded requests, made again with the official SDKs, get the recorded bytes.

Some cannot be made again with current SDKs: fields were renamed, defaults added. These are recognised by the difference
that the miss reports, and counted apart.
"""

import contextlib
import gc
import inspect
import json
import subprocess
import sys
from urllib.parse import parse_qsl, unquote, urlsplit

import anthropic
import boto3
import botocore.config
import cohere
import groq
import ollama
import openai
import pytest
import together
from google import genai

from llm_gateway.cassettes.modes import Mode
from llm_gateway.exceptions import CassetteMissError
from llm_gateway.interception.settings import Settings
from llm_gateway.interception.use_cassette import use_cassette

PATHS = {
    "/chat/completions": lambda client: client.chat.completions,
    "/completions": lambda client: client.completions,
    "/embeddings": lambda client: client.embeddings,
    "/responses": lambda client: client.responses,
    "/moderations": lambda client: client.moderations,
    "/v1/messages": lambda client: client.messages,
    "/v1/complete": lambda client: client.completions,
}


def stainless(client, suffix, body, query):
    """Return the bytes of the reply to a call of the SDK's method with the fields of the recorded body."""
    resource = next(get(client) for path, get in PATHS.items() if suffix.endswith(path))
    known = inspect.signature(resource.create).parameters
    named = {name: value for name, value in body.items() if name in known}
    extra = {name: value for name, value in body.items() if name not in known}
    create = resource.with_streaming_response.create
    with create(**named, extra_body=extra or None, extra_query=query or None) as reply:
        return reply.http_response.read()


def with_base(make, url, suffix):
    base = url.partition("#")[0].partition("?")[0].removesuffix(suffix)
    return make(base_url=base, api_key="k", max_retries=0)


def by_openai(url, body, query):
    suffix = next(path for path in PATHS if urlsplit(url).path.endswith(path))
    return stainless(with_base(openai.OpenAI, url, suffix), suffix, body, query)


def by_azure(url, body, query):
    parts = urlsplit(url)
    if "/deployments/" not in parts.path:
        return by_openai(url, body, query)
    client = openai.AzureOpenAI(
        azure_endpoint=f"{parts.scheme}://{parts.netloc}",
        azure_deployment=parts.path.split("/deployments/")[1].split("/")[0],
        api_key="k",
        api_version=dict(query)["api-version"],
        max_retries=0,
    )
    suffix = next(path for path in PATHS if parts.path.endswith(path))
    return stainless(client, suffix, {"model": "m", **body} if "model" not in body else body, {})


def by_anthropic(url, body, query):
    suffix = next(path for path in ("/v1/messages", "/v1/complete") if urlsplit(url).path.endswith(path))
    return stainless(with_base(anthropic.Anthropic, url, suffix), suffix, body, query)


def by_groq(url, body, query):
    return stainless(with_base(groq.Groq, url, "/openai/v1/chat/completions"), "/chat/completions", body, query)


def by_together(url, body, query):
    suffix = next(path for path in PATHS if urlsplit(url).path.endswith(path))
    return stainless(with_base(together.Together, url, f"/v1{suffix}"), suffix, body, query)


def by_google(url, body, query):
    parts = urlsplit(url)
    version, model = next(
        (version, parts.path.split(f"/{version}/")[1]) for version in VERSIONS if f"/{version}/" in parts.path
    )
    model, _, verb = model.partition(":")
    options = {
        "base_url": f"{parts.scheme}://{parts.netloc}{parts.path.split(f'/{version}/')[0]}",
        "api_version": version,
    }
    if "publishers/" in model:
        client = genai.Client(vertexai=True, api_key="k", http_options=options)
    else:
        client = genai.Client(api_key="k", http_options=options)
    config = {"http_options": {"extra_body": body}}
    if verb == "streamGenerateContent":
        return [one.text for one in client.models.generate_content_stream(model=model, contents="x", config=config)]
    return client.models.generate_content(model=model, contents="x", config=config).text


def by_boto3(url, body, query):
    parts = urlsplit(url)
    prefix, _, rest = parts.path.rpartition("/model/")
    model, verb = map(unquote, rest.rsplit("/", 1))
    client = boto3.client(
        "bedrock-runtime",
        endpoint_url=f"{parts.scheme}://{parts.netloc}{prefix}",
        region_name="us-east-1",
        aws_access_key_id="AKIAEXAMPLE",
        aws_secret_access_key="k",
        config=botocore.config.Config(retries={"max_attempts": 0}, response_checksum_validation="when_required"),
    )
    match verb:
        case "converse":
            return client.converse(modelId=model, **body)["output"]
        case "converse-stream":
            return list(client.converse_stream(modelId=model, **body)["stream"])
        case "invoke":
            return client.invoke_model(modelId=model, body=json.dumps(body))["body"].read()
        case _:
            return list(client.invoke_model_with_response_stream(modelId=model, body=json.dumps(body))["body"])


def by_cohere(url, body, query):
    parts = urlsplit(url)
    is_v2 = "/v2/" in parts.path
    client = (cohere.ClientV2 if is_v2 else cohere.Client)(api_key="k", base_url=f"{parts.scheme}://{parts.netloc}")
    body = dict(body)
    if parts.path.endswith("/chat"):
        return (
            list(client.chat_stream(**without(body, "stream")))
            if body.get("stream")
            else client.chat(**without(body, "stream"))
        )
    return getattr(client, parts.path.rsplit("/", 1)[1])(**body)


def without(body, name):
    return {key: value for key, value in body.items() if key != name}


def by_ollama(url, body, query):
    parts = urlsplit(url)
    client = ollama.Client(host=f"{parts.scheme}://{parts.netloc}")
    answer = getattr(client, parts.path.rsplit("/", 1)[1])(**body)
    return list(answer) if body.get("stream") else answer


VERSIONS = ("v1beta1", "v1beta", "v1alpha", "v1")
BY_PROVIDER = {
    "anthropic": by_anthropic,
    "azure": by_azure,
    "bedrock": by_boto3,
    "cohere": by_cohere,
    "groq": by_groq,
    "together": by_together,
    "ollama": by_ollama,
    "google-gla": by_google,
    "google-vertex": by_google,
}
BY_API = {
    "anthropic.messages": by_anthropic,
    "openai.chat": by_openai,
    "openai.completions": by_openai,
    "openai.embeddings": by_openai,
    "openai.responses": by_openai,
    "openai.moderations": by_openai,
    "gemini.generate": by_google,
    "bedrock.converse": by_boto3,
}
NOT_BY_ONE = {"cohere.v1.generate", "bedrock.agent", "gemini.embed", "gemini.cached_contents", "gemini.interactions"}


def sender_of(expected):
    """Return the function that makes such a request with an SDK; None where no installed SDK does."""
    if expected["method"] != "POST" or not expected["api"] or expected["api"] in NOT_BY_ONE:
        return None
    by_provider = BY_PROVIDER.get(expected["provider"])
    if expected["api"].startswith("openai.") and by_provider not in (by_azure, by_groq, by_together):
        return BY_API.get(expected["api"])
    return by_provider or BY_API.get(expected["api"])


def outcomes_of(traffic, row):
    """Return by position ``same``, ``other`` where the current SDK sends another request, or what went wrong."""
    entries, found = dict(traffic.load(row["file"])), {}
    opened = use_cassette(traffic.data / row["file"], Mode.REPLAY, settings=Settings(allow_unused=True))
    with contextlib.suppress(CassetteMissError), opened as cassette:
        for expected in row["expected"]:
            if sender_of(expected) is not None:
                found[expected["index"]] = outcome(traffic, expected, entries[expected["index"]], cassette)
    return found


def outcome(traffic, expected, entry, cassette):
    request = entry["request"]
    url = request["uri"] if "://" in request["uri"] else f"https://{request['uri']}"
    raw = traffic.plain(traffic.body_of(request), traffic.headers_of(request))
    recorded = traffic.plain(traffic.body_of(entry["response"]), traffic.headers_of(entry["response"]))
    query = dict(parse_qsl(urlsplit(url).query))
    before = len(cassette.calls)
    error_text = None
    try:
        got = sender_of(expected)(url, json.loads(raw), query)
    except Exception as error:  # noqa: BLE001  each SDK has its own; a recorded error status is one
        reply = getattr(error, "response", None)
        got, error_text = reply.content if hasattr(reply, "content") else None, f"{type(error).__name__}: {error}"
    served = [call.source for call in cassette.calls[before:]]
    if served == ["replay"]:
        return "same" if not isinstance(got, bytes) or got == recorded else "wrong: bytes"
    if served == [] and error_text:
        return f"other: {error_text}"  # the current SDK cannot send this request
    miss = cassette.outcome.failures()[-1] if served == ["miss"] else None
    return f"other: {miss}" if miss and "differs in" in str(miss) else f"wrong: {served} {error_text} {miss}"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_sdk_requests_match_recorded_requests(traffic, record_property):
    """At least nine in ten requests are found, and none gets a wrong reply."""
    outcomes = {}
    for row in traffic.manifest:
        outcomes.update({(row["file"], index): text for index, text in outcomes_of(traffic, row).items()})
    wrong = {key: text for key, text in outcomes.items() if text.startswith("wrong")}
    same = sum(text == "same" for text in outcomes.values())
    record_property("counted made again by official SDKs", f"{same} of {len(outcomes)}")
    assert {} == wrong
    assert same > 0.9 * len(outcomes)


@pytest.fixture
def replay_server(traffic):
    """Start the maintainers' stub server of recorded exchanges; yield its URL and a function that stops it."""
    program = traffic.data.parents[1] / "tools" / "provider_double.py"
    command = [sys.executable, str(program), str(traffic.data), "--chunk", "sse", "--gap-ms", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        yield process.stdout.readline().strip(), process.kill
        process.kill()
    gc.collect()  # not every SDK's client can be closed; what is left of them is of this test alone


def calls_of(traffic, base):
    """Yield the sender and its arguments of every recorded call that an SDK can make, addressed to *base*."""
    for row in traffic.manifest:
        entries = dict(traffic.load(row["file"]))
        for expected in row["expected"]:
            sender = sender_of(expected)
            if sender is not None:
                request = entries[expected["index"]]["request"]
                raw = traffic.plain(traffic.body_of(request), traffic.headers_of(request)) or b"{}"
                parts = urlsplit(request["uri"] if "://" in request["uri"] else f"https://{request['uri']}")
                query = dict(parse_qsl(parts.query))
                yield sender, f"{base}{parts.path}{'?' if parts.query else ''}{parts.query}", json.loads(raw), query


def result_of(sender, url, body, query):
    """Return the repr of what the SDK returns, or the text of its error."""
    try:
        return repr(sender(url, body, query))
    except Exception as error:  # noqa: BLE001  each SDK has its own; a recorded error status is one
        return f"{type(error).__name__}: {error}"


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_sdk_calls_recorded_over_sockets_are_replayed(traffic, replay_server, tmp_path, record_property):
    """With the server stopped, each call returns or raises what it did when it was recorded."""
    base, stop = replay_server
    settings = Settings(environ={}, allow_unused=True)
    recorded = []
    with use_cassette(tmp_path / "a.yaml", Mode.RECORD, settings=settings) as cassette:
        for call in calls_of(traffic, base):
            before = len(cassette.calls)
            live = result_of(*call)
            if len(cassette.calls) > before:  # a path on loopback that no LLM API has is the test's own server's
                recorded.append((call, live))
    stop()
    with use_cassette(tmp_path / "a.yaml", settings=settings) as cassette:
        wrong = [(live, replayed) for call, live in recorded if live != (replayed := result_of(*call))]
    record_property(
        "counted recorded by official SDKs over sockets", f"{len(recorded)}, replayed {len(cassette.calls)}"
    )
    assert [] == wrong
    assert len(recorded) == len(cassette.calls) > 200
