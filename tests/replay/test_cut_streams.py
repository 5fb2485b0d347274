"""Recorded streams, split into other chunks: official SDKs and dialects read the same events."""

from urllib.parse import unquote, urlsplit

import anthropic
import boto3
import cohere
import openai
import pytest
from google import genai

from llm_gateway.cassettes.chunks import STRATEGIES, split
from llm_gateway.interception.settings import Settings
from llm_gateway.interception.use_cassette import use_cassette
from llm_gateway.types import WireRequest
from llm_gateway.wire.dialects import find_dialect

MESSAGES = [{"role": "user", "content": "hi"}]
SPLITS = [*STRATEGIES, 1, 2]
MOST_BYTES = 20_000  # an SDK takes its time for single bytes


def by_anthropic(base, path, model):
    client = anthropic.Anthropic(api_key="k", base_url=base, max_retries=0)
    with client, client.messages.create(model="m", max_tokens=9, messages=MESSAGES, stream=True) as stream:
        return [one.to_dict() for one in stream]


def by_openai(base, path, model):
    client = openai.OpenAI(api_key="k", base_url=base + path.rpartition("/chat/")[0], max_retries=0)
    with client, client.chat.completions.create(model="m", messages=MESSAGES, stream=True) as stream:
        return [one.to_dict() for one in stream]


def by_responses(base, path, model):
    client = openai.OpenAI(api_key="k", base_url=base + path.rpartition("/")[0], max_retries=0)
    with client, client.responses.create(model="m", input="hi", stream=True) as stream:
        return [one.to_dict() for one in stream]


def by_google(base, path, model):
    version = path.split("/")[1]
    options = {"base_url": base, "api_version": version}
    client = genai.Client(api_key="k", http_options=options)
    name = path.split(f"/{version}/")[1].partition(":")[0]
    return [
        one.model_dump(mode="json", exclude={"sdk_http_response"})
        for one in client.models.generate_content_stream(model=name, contents="hi")
    ]


def by_cohere(base, path, model):
    return [one.dict() for one in cohere.ClientV2("k", base_url=base).chat_stream(model="m", messages=MESSAGES)]


def by_boto3(base, path, model):
    keys = {"aws_access_key_id": "k", "aws_secret_access_key": "k"}
    client = boto3.client("bedrock-runtime", region_name="us-east-1", endpoint_url=base, **keys)
    messages = [{"role": "user", "content": [{"text": "hi"}]}]
    return list(client.converse_stream(modelId=model, messages=messages)["stream"])


SDKS = {
    "anthropic.messages": by_anthropic,
    "openai.chat": by_openai,
    "openai.responses": by_responses,
    "gemini.generate": by_google,
    "cohere.v2.chat": by_cohere,
    "bedrock.converse": by_boto3,
}


def addressed(request):
    """Return the request reduced to its path, so that it matches whatever its body is."""
    return WireRequest(request.method, f"https://any{urlsplit(request.url).path}", (), b"")


def streams(traffic, api):
    """Yield file, URL and body of each stream of *api* that is the first exchange at its path in the file."""
    for row in traffic.manifest:
        wanted = {one["index"]: one for one in row["expected"] if one["api"] == api and one["streaming"]}
        seen = set()
        for index, entry in traffic.load(row["file"]) if wanted else ():
            url = entry["request"]["uri"]
            is_first = urlsplit(url).path not in seen
            seen.add(urlsplit(url).path)
            headers = traffic.headers_of(entry["response"])
            body = traffic.plain(traffic.body_of(entry["response"]), headers)
            if index in wanted and is_first and wanted[index]["status"] == 200 and wanted[index]["framing"]:
                yield traffic.data / row["file"], url, body


def sdk_events(call, url, file, chunks):
    """Return the events that the SDK yields for the recorded stream."""
    parts = urlsplit(url)
    model = unquote(parts.path.removesuffix("/converse-stream").rpartition("/")[2])
    settings = Settings(environ={}, allow_unused=True, normalize=addressed, chunks=chunks)
    with use_cassette(file, settings=settings):
        return call(f"{parts.scheme}://{parts.netloc}", parts.path, model)


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("api", SDKS)
def test_official_sdks_read_the_same_events(api, traffic, record_property):
    """Splits within characters, arguments, line ends and frames, CRLF and random splits make no difference."""
    taken = 0
    for file, url, body in streams(traffic, api):
        if len(body) > MOST_BYTES or taken == 3:
            continue
        as_recorded = sdk_events(SDKS[api], url, file, None)
        wrong = [chunks for chunks in SPLITS if sdk_events(SDKS[api], url, file, chunks) != as_recorded]
        taken += 1
        assert as_recorded, file
        assert [] == wrong, file

    record_property(f"counted streams of {api} cut for SDKs", f"{taken} in {len(SPLITS)} ways")
    assert taken


@pytest.mark.parametrize("api", SDKS)
def test_each_dialect_reads_the_same_reply(api, traffic, record_property):
    """Every recorded stream decodes to one reply, however it is split."""
    taken = 0
    for file, _, body in streams(traffic, api):
        if "mistral_model_thinking" in file.name:
            continue  # content that is a list, which the dialect does not read in any split
        replies = []
        for chunks in ["whole", *SPLITS]:
            decoder = find_dialect(api).stream_decoder()
            for part in split(body, chunks):
                decoder.feed(part)
            replies.append((decoder.reply(), decoder.is_finished, decoder.error))
        taken += 1
        assert all(one == replies[0] for one in replies), file
    record_property(f"counted streams of {api} cut for its dialect", f"{taken} in {len(SPLITS)} ways")
    assert taken
