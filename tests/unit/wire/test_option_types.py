"""Options in each provider's own words, checked by the types of its official SDK."""

import botocore.session
import botocore.validate
import cohere
import pytest
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming
from google.genai import types
from groq.types.chat.completion_create_params import CompletionCreateParams as GroqParams
from mistralai.client.models import ChatCompletionRequest
from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming as ChatParams
from openai.types.responses.response_create_params import ResponseCreateParamsNonStreaming as ResponsesParams
from pydantic import BaseModel, TypeAdapter
from together.types.chat.completion_create_params import CompletionCreateParamsNonStreaming as TogetherParams

from llm_gateway.config import GatewayConfig
from llm_gateway.providers import compatible
from llm_gateway.types import ChatRequest, LLMMessage
from llm_gateway.wire import anthropic, bedrock, claude_cli, gemini, openai_chat, openai_responses
from llm_gateway.wire import cohere as cohere_wire

MESSAGES = (LLMMessage.system("Be brief."), LLMMessage.user("Which JSON?"))
SAMPLING = {"temperature": 0.5, "top_p": 0.9, "seed": 7}
JSON = {"type": "json_object"}


def host(name):
    """The dialect of a host of chat completions."""
    return compatible.provider(name, GatewayConfig(api_key="k")).dialect


def chat(effort):
    """What chat completions have for all of it."""
    return {**SAMPLING, "reasoning_effort": effort, "response_format": JSON}


def encoded(dialect, **options):
    """What the dialect adds for *options* to a bare request."""
    bare = dialect.encode_request(ChatRequest("m", MESSAGES))
    body = dialect.encode_request(ChatRequest("m", MESSAGES, **options))
    return body, {name: value for name, value in body.items() if bare.get(name) != value}


@pytest.mark.parametrize(
    ("dialect", "type_", "options", "words"),
    [
        (openai_chat.DIALECT, ChatParams, SAMPLING | {"reasoning_effort": "max", "json_mode": True}, chat("max")),
        (host("groq"), GroqParams, SAMPLING | {"reasoning_effort": "none", "json_mode": True}, chat("none")),
        (
            host("together"),
            TogetherParams,
            SAMPLING | {"reasoning_effort": "high", "json_mode": True},
            chat("high"),
        ),
        (
            openai_responses.DIALECT,
            ResponsesParams,
            {"temperature": 0.5, "top_p": 0.9, "reasoning_effort": "xhigh", "json_mode": True},
            {
                "temperature": 0.5,
                "top_p": 0.9,
                "reasoning": {"effort": "xhigh"},
                "text": {"format": JSON},
            },
        ),
        (
            anthropic.DIALECT,
            MessageCreateParamsNonStreaming,
            {"reasoning_effort": "max"},
            {"thinking": {"type": "adaptive"}, "output_config": {"effort": "max"}},
        ),
        (
            anthropic.DIALECT,
            MessageCreateParamsNonStreaming,
            {"reasoning_effort": "none"},
            {"thinking": {"type": "disabled"}},
        ),
    ],
    ids=["openai", "groq", "together", "responses", "anthropic", "anthropic without thinking"],
)
def test_options_are_those_of_the_sdk(dialect, type_, options, words):
    """No field that its types lack, and no value that they reject."""
    body, typed = encoded(dialect, **options)
    TypeAdapter(type_).validate_python(body)

    assert set() == body.keys() - type_.__annotations__.keys() - {"stream"}
    assert words == typed


def test_mistral_calls_its_seed_otherwise():
    """The rest is as OpenAI has it."""
    body, typed = encoded(host("mistral"), **SAMPLING, reasoning_effort="high", json_mode=True)
    read = ChatCompletionRequest.model_validate(body)
    assert (0.9, 7, "high", "json_object") == (
        read.top_p,
        read.random_seed,
        read.reasoning_effort,
        read.response_format.type,
    )
    assert "seed" not in typed


def test_openrouter_and_deepseek_have_words_of_their_own():
    """As their documentation has them."""
    dialect = host("openrouter")
    _, typed = encoded(dialect, reasoning_effort="low", extra={"reasoning": {"exclude": True}})
    assert {"reasoning": {"effort": "low", "exclude": True}} == typed
    assert {"exclude": True} == dialect.decode_request(typed).extra["reasoning"]

    _, off = encoded(host("deepseek"), reasoning_effort="none")
    _, on = encoded(host("deepseek"), reasoning_effort="high")
    assert ({"thinking": {"type": "disabled"}}, {"reasoning_effort": "high"}) == (off, on)
    assert "none" == openai_chat.DIALECT.decode_request(off).reasoning_effort


def test_gemini_has_levels_and_a_budget_of_nothing():
    """And both of them together with fields of its own."""
    body, _ = encoded(gemini.DIALECT, **SAMPLING, reasoning_effort="high", json_mode=True)
    config = types.GenerationConfig.model_validate(body["generationConfig"])
    assert (0.9, 7, "HIGH", "application/json") == (
        config.top_p,
        config.seed,
        config.thinking_config.thinking_level,
        config.response_mime_type,
    )
    shown = {"generationConfig": {"thinkingConfig": {"includeThoughts": True}}}
    body, _ = encoded(gemini.DIALECT, reasoning_effort="none", extra=shown)
    config = types.GenerationConfig.model_validate(body["generationConfig"]).thinking_config
    assert (0, True) == (config.thinking_budget, config.include_thoughts)
    assert ("none", shown) == (
        gemini.DIALECT.decode_request(body).reasoning_effort,
        gemini.DIALECT.decode_request(body).extra,
    )
    budget = {"generationConfig": {"thinkingConfig": {"thinkingBudget": 2048}}}
    assert (None, budget) == (
        gemini.DIALECT.decode_request(budget).reasoning_effort,
        gemini.DIALECT.decode_request(budget).extra,
    )


@pytest.mark.parametrize(
    ("model", "effort", "fields"),
    [
        (
            "us.anthropic.claude-opus-4-7",
            "high",
            {"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}},
        ),
        ("us.anthropic.claude-opus-4-7", "none", {"thinking": {"type": "disabled"}}),
        ("us.amazon.nova-2-lite-v1:0", "low", {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "low"}}),
        ("us.amazon.nova-2-lite-v1:0", "none", {"reasoningConfig": {"type": "disabled"}}),
        ("openai.gpt-oss-20b-1:0", "medium", {"reasoning_effort": "medium"}),
    ],
)
def test_converse_hands_the_level_to_the_model(model, effort, fields):
    """In that model's words, which AWS's own model of the API lets through; other fields go along."""
    extra = {"additionalModelRequestFields": {"top_k": 5}}
    request = ChatRequest(model, MESSAGES[1:], top_p=0.9, reasoning_effort=effort, extra=extra)
    body = bedrock.DIALECT.encode_request(request)
    shape = botocore.session.Session().get_service_model("bedrock-runtime").operation_model("Converse").input_shape
    report = botocore.validate.ParamValidator().validate(body | {"modelId": model}, shape)

    assert "" == report.generate_report()
    assert {"topP": 0.9} == body["inferenceConfig"]
    assert {**fields, "top_k": 5} == body["additionalModelRequestFields"]
    read = bedrock.DIALECT.decode_request(body)
    assert (effort, extra, 0.9) == (read.reasoning_effort, read.extra, read.top_p)


def test_cohere_calls_top_p_p_and_knows_no_levels():
    """A reasoning model reasons unless the request disables it."""
    body, typed = encoded(cohere_wire.DIALECT, top_p=0.9, seed=7, reasoning_effort="none", json_mode=True)
    assert {"p": 0.9, "seed": 7, "thinking": {"type": "disabled"}, "response_format": {"type": "json_object"}} == typed
    assert "disabled" == cohere.Thinking.model_validate(body["thinking"]).type
    assert "json_object" == cohere.JsonObjectResponseFormatV2.model_validate(body["response_format"]).type


def test_the_command_line_thinks_by_its_own_option():
    """Thinking is disabled by a variable; its system prompt requests JSON."""
    argv, _, env = claude_cli.DIALECT.encode_request(
        ChatRequest("m", MESSAGES, reasoning_effort="none", json_mode=True)
    )
    assert {"CLAUDE_CODE_DISABLE_THINKING": "1"} == env
    assert "--effort" not in argv
    assert "Answer with one JSON object alone" in claude_cli.flag(argv, "--system-prompt")
    argv, _, env = claude_cli.DIALECT.encode_request(ChatRequest("m", MESSAGES, reasoning_effort="minimal"))
    assert ("low", {}) == (claude_cli.flag(argv, "--effort"), env)


class Answer(BaseModel):
    """Not for JSON mode: a schema replaces it."""

    text: str


@pytest.mark.parametrize("dialect", [anthropic.DIALECT, bedrock.DIALECT])
def test_a_system_message_requests_json_where_the_api_has_no_mode(dialect):
    """In front of the caller's system prompt; a schema needs no message."""
    words = "Answer with one JSON object alone, without a code fence."
    assert words in str(dialect.encode_request(ChatRequest("m", MESSAGES, json_mode=True))["system"])
    schema = ChatRequest("m", MESSAGES, json_mode=True, response_schema=Answer.model_json_schema())
    assert words not in str(dialect.encode_request(schema)["system"])


@pytest.mark.parametrize("dialect", [openai_chat.DIALECT, openai_responses.DIALECT, gemini.DIALECT])
def test_json_mode_has_json_spoken_of(dialect):
    """OpenAI refuses it otherwise: 'messages' must contain the word 'json' in some form."""
    silent = ChatRequest("m", (LLMMessage.user("Which?"),), json_mode=True)
    assert "JSON object" in str(dialect.encode_request(silent))
    assert "JSON object" not in str(dialect.encode_request(ChatRequest("m", MESSAGES, json_mode=True)))


def test_settings_of_one_api_survive_next_to_a_level():
    """Fields of the same objects that no option covers."""
    body = {
        "reasoning": {"effort": "low", "summary": "auto"},
        "text": {"format": {"type": "json_object"}, "verbosity": "low"},
    }
    read = openai_responses.DIALECT.decode_request(body)
    assert ("low", True, {"reasoning": {"summary": "auto"}, "text": {"verbosity": "low"}}) == (
        read.reasoning_effort,
        read.json_mode,
        read.extra,
    )
    assert body["reasoning"] == openai_responses.DIALECT.encode_request(read)["reasoning"]
    assert body["text"] == openai_responses.DIALECT.encode_request(read)["text"]

    budget = {"thinking": {"type": "enabled", "budget_tokens": 2048}, "output_config": {"format": None, "x": 1}}
    typed = anthropic.DIALECT.decode_request(budget)
    assert (None, {"thinking": budget["thinking"], "output_config": {"x": 1}}) == (typed.reasoning_effort, typed.extra)
    shown = {"thinking": {"type": "adaptive", "display": "omitted"}, "output_config": {"effort": "low"}}
    again = anthropic.DIALECT.encode_request(anthropic.DIALECT.decode_request(shown))
    assert shown == {name: again[name] for name in shown}


def test_anthropics_schema_under_its_name_of_the_beta():
    """As litellm still writes it."""
    decoded = anthropic.DIALECT.decode_request({"output_format": {"type": "json_schema", "schema": {"type": "object"}}})

    assert ({"type": "object"}, {}) == (decoded.response_schema, decoded.extra)
