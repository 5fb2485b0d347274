"""Estimated input tokens of recorded requests, estimates with the tokens that the provider reported."""

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
"""Words in requests whose input is not all in them as text: media, stored files and conversations, tools of the
provider, and shortened conversations."""
SHORTENED = "test_invoke_model_cache_tokens.yaml"
"""A recording whose prompt was shortened by hand, and its usage was not."""


def texts(blocks):
    return "".join(block.get("text", "") for block in blocks or ())


def converse(body):
    """Return a request of Bedrock's Converse API, decoded."""

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
    """Return a request of Gemini, decoded."""

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


def text_request(body, api, model):
    """Return the decoded request, or None where its input is not all in it as text."""
    if any(word in body for word in NOT_TEXT) or (api == "bedrock.invoke" and "anthropic_version" not in body):
        return None
    request = READERS[api](json.loads(body))
    return dataclasses.replace(request, model=model or "", extra={}) if request.messages else None


@pytest.fixture(scope="module")
def estimates(traffic):
    """Return file, provider, estimated and reported input tokens of each recorded text request."""
    return list(read_estimates(traffic))


def read_estimates(traffic):
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
            if (request := text_request(exchange.request.body.decode(), expected["api"], model)) is not None:
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


def test_estimates_are_not_below_reported_tokens(estimates, record_property):
    """No estimate is more than 3 % too low; the table shows how far they are too high."""
    low = [(file, estimated, reported) for file, _, estimated, reported in estimates if estimated < 0.97 * reported]
    record_property("counted estimate held", f"{len(estimates) - len(low)} of {len(estimates)}")
    record_property("table estimated / reported", table(estimates))

    assert [] == low
    assert len(estimates) > 120


def test_estimates_of_large_inputs_are_close(estimates):
    """Above 900 tokens the sum of estimates is at most 1.6 times the reported one."""
    large = [(estimated, reported) for _, _, estimated, reported in estimates if reported > 900]
    ratio = sum(estimated for estimated, _ in large) / sum(reported for _, reported in large)

    assert 1 < ratio < 1.6
    assert len(large) > 15
