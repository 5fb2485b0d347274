"""Real recorded streams, cut in every way, give the official SDKs the events that they give as recorded."""

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

ASKED = [{"role": "user", "content": "hi"}]
WAYS = [*STRATEGIES, 1, 2]
MOST_BYTES = 20_000  # an SDK takes its time for single bytes


def by_anthropic(base, path, model):
    client = anthropic.Anthropic(api_key="k", base_url=base, max_retries=0)
    with client, client.messages.create(model="m", max_tokens=9, messages=ASKED, stream=True) as stream:
        return [one.to_dict() for one in stream]


def by_openai(base, path, model):
    client = openai.OpenAI(api_key="k", base_url=base + path.rpartition("/chat/")[0], max_retries=0)
    with client, client.chat.completions.create(model="m", messages=ASKED, stream=True) as stream:
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
    return [one.dict() for one in cohere.ClientV2("k", base_url=base).chat_stream(model="m", messages=ASKED)]


def by_boto3(base, path, model):
    keys = {"aws_access_key_id": "k", "aws_secret_access_key": "k"}
    client = boto3.client("bedrock-runtime", region_name="us-east-1", endpoint_url=base, **keys)
    asked = [{"role": "user", "content": [{"text": "hi"}]}]
    return list(client.converse_stream(modelId=model, messages=asked)["stream"])


SDKS = {
    "anthropic.messages": by_anthropic,
    "openai.chat": by_openai,
    "openai.responses": by_responses,
    "gemini.generate": by_google,
    "cohere.v2.chat": by_cohere,
    "bedrock.converse": by_boto3,
}


def addressed(request):
    """A request by its path alone: what was asked does not matter here."""
    return WireRequest(request.method, f"https://any{urlsplit(request.url).path}", (), b"")


def streams(traffic, api):
    """The files whose first exchange at an address is a stream of *api* that is not too long: its address and bytes."""
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


def told(call, url, file, way):
    """What the SDK hands out of the recorded stream."""
    parts = urlsplit(url)
    model = unquote(parts.path.removesuffix("/converse-stream").rpartition("/")[2])
    settings = Settings(environ={}, allow_unused=True, normalize=addressed, chunks=way)
    with use_cassette(file, settings=settings):
        return call(f"{parts.scheme}://{parts.netloc}", parts.path, model)


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("api", SDKS)
def test_official_sdks_read_the_same_events(api, traffic, record_property):
    """Single bytes, cuts in characters, arguments, line ends and frames, CRLF, and cuts at random."""
    taken = 0
    for file, url, body in streams(traffic, api):
        if len(body) > MOST_BYTES or taken == 3:
            continue
        as_recorded = told(SDKS[api], url, file, None)
        wrong = [way for way in WAYS if told(SDKS[api], url, file, way) != as_recorded]
        taken += 1
        assert as_recorded, file
        assert [] == wrong, file

    record_property(f"counted streams of {api} cut for SDKs", f"{taken} in {len(WAYS)} ways")
    assert taken


@pytest.mark.parametrize("api", SDKS)
def test_each_dialect_reads_the_same_reply(api, traffic, record_property):
    """Of every recorded stream."""
    taken = 0
    for file, _, body in streams(traffic, api):
        if "mistral_model_thinking" in file.name:
            continue  # content that is a list: the dialect does not read it, cut or not
        replies = []
        for way in ["whole", *WAYS]:
            decoder = find_dialect(api).stream_decoder()
            for part in split(body, way):
                decoder.feed(part)
            replies.append((decoder.reply(), decoder.is_finished, decoder.error))
        taken += 1
        assert all(one == replies[0] for one in replies), file
    record_property(f"counted streams of {api} cut for its dialect", f"{taken} in {len(WAYS)} ways")
    assert taken
