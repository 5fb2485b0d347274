"""The estimate of a recorded request does not lie below the input that its provider reported."""

import dataclasses
import json
from collections import defaultdict

import pytest

from llm_gateway.cassettes.playback import Playback
from llm_gateway.cost.account import known_facts
from llm_gateway.types import ChatRequest, LLMMessage, TextPart, Tool, ToolCall, ToolResult
from llm_gateway.wire import anthropic, openai_chat, openai_responses
from llm_gateway.wire.tokens import estimate_tokens

NOT_TEXT = (
    *("image", '"file', "fileData", "inlineData", '"document"', "input_audio", "previous_response_id", '"prompt": {'),
    *("cachedContent", "web_search", "googleSearch", "codeExecution", "code_execution", "systemTool", "tool_search"),
    *("advisor", "urlContext", "fileSearch", "server_tool", "compact"),
)
"""What stands in requests whose input is not in them: media, what the provider keeps, tools
of its own, conversations that it shortens."""
SHORTENED = "test_invoke_model_cache_tokens.yaml"
"""A recording whose prompt was shortened by hand, and its usage was not."""


def texts(blocks):
    return "".join(block.get("text", "") for block in blocks or ())


def converse(body):
    """A request of Bedrock's own format."""

    def part(block):
        if "toolUse" in block:
            return ToolCall(block["toolUse"]["toolUseId"], block["toolUse"]["name"], block["toolUse"]["input"])
        if "toolResult" in block:
            return ToolResult(block["toolResult"]["toolUseId"], json.dumps(block["toolResult"]["content"]))
        return TextPart(block["text"] if "text" in block else json.dumps(block.get("reasoningContent") or ""))

    specs = [one["toolSpec"] for one in (body.get("toolConfig") or {}).get("tools") or () if "toolSpec" in one]
    tools = [Tool(one["name"], one.get("description", ""), one["inputSchema"]["json"]) for one in specs]
    messages = [LLMMessage(one["role"], tuple(map(part, one["content"]))) for one in body["messages"]]
    system = LLMMessage("system", (TextPart(texts(body.get("system"))),))
    schema = ((body.get("outputConfig") or {}).get("textFormat") or {}).get("structure")
    return ChatRequest("", (system, *messages), tools=tuple(tools), response_schema=schema)


def gemini(body):
    """A request of Gemini's."""

    def part(block):
        if "functionCall" in block:
            return ToolCall("", block["functionCall"]["name"], block["functionCall"].get("args") or {})
        if "functionResponse" in block:
            return ToolResult("", json.dumps(block["functionResponse"]))
        return TextPart(block["text"])

    declared = [one for tool in body.get("tools") or () for one in tool.get("functionDeclarations") or ()]
    tools = [Tool(one["name"], one.get("description", ""), one.get("parameters") or {}) for one in declared]
    system = LLMMessage("system", (TextPart(texts((body.get("systemInstruction") or {}).get("parts"))),))
    messages = [LLMMessage("user", tuple(map(part, one["parts"]))) for one in body["contents"]]
    schema = (body.get("generationConfig") or {}).get("responseSchema")
    return ChatRequest("", (system, *messages), tools=tuple(tools), response_schema=schema)


READERS = {
    "anthropic.messages": anthropic.DIALECT.decode_request,
    "bedrock.converse": converse,
    "bedrock.invoke": anthropic.DIALECT.decode_request,
    "gemini.generate": gemini,
    "openai.chat": openai_chat.DIALECT.decode_request,
    "openai.responses": openai_responses.DIALECT.decode_request,
}


def asked(body, api, model):
    """The request, or None where its input is not all in it as text."""
    if any(word in body for word in NOT_TEXT) or (api == "bedrock.invoke" and "anthropic_version" not in body):
        return None
    request = READERS[api](json.loads(body))
    return dataclasses.replace(request, model=model or "", extra={}) if request.messages else None


@pytest.fixture(scope="module")
def compared(traffic):
    """File, provider, estimated and reported input of each recorded request of text."""
    return list(_compared(traffic))


def _compared(traffic):
    for row in traffic.manifest:
        playback = Playback(traffic.data / row["file"])
        positions = [index for index, _ in traffic.load(row["file"])]
        for expected in row["expected"]:
            if expected["api"] not in READERS or row["file"].endswith(SHORTENED):
                continue
            exchange = playback.exchange(positions.index(expected["index"]))
            usage = known_facts(exchange).usage
            if usage is None or not usage.input_tokens or not exchange.request.body:
                continue
            model = expected["model_served"] or expected["model_requested"]
            if (request := asked(exchange.request.body.decode(), expected["api"], model)) is not None:
                yield row["file"], expected["provider"], estimate_tokens(request).tokens, usage.input_tokens


def table(found):
    by_provider = defaultdict(list)
    for _, provider, estimated, reported in found:
        by_provider[provider].append((estimated, reported))
    lines = [f"{'':<26} calls  lowest  median  of all input"]
    for provider, pairs in sorted(by_provider.items()):
        ratios = sorted(estimated / reported for estimated, reported in pairs)
        whole = sum(estimated for estimated, _ in pairs) / sum(reported for _, reported in pairs)
        lines.append(
            f"{provider:<26} {len(pairs):>5} {ratios[0]:>7.2f} {ratios[len(ratios) // 2]:>7.2f} {whole:>13.2f}"
        )
    return "\n".join(lines)


def test_no_recorded_input_is_estimated_too_low(compared, record_property):
    """By more than 3 %, in any provider's text; how far too high is what the table shows."""
    low = [(file, estimated, reported) for file, _, estimated, reported in compared if estimated < 0.97 * reported]
    record_property("counted estimate held", f"{len(compared) - len(low)} of {len(compared)}")
    record_property("table estimated / reported", table(compared))

    assert [] == low
    assert len(compared) > 120


def test_of_large_inputs_the_estimate_is_near(compared):
    """Where it matters: what is fixed weighs little there."""
    large = [(estimated, reported) for _, _, estimated, reported in compared if reported > 900]
    ratio = sum(estimated for estimated, _ in large) / sum(reported for _, reported in large)

    assert 1 < ratio < 1.6
    assert len(large) > 15
