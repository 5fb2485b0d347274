"""How each API spells the options of a request, and which it lacks: written by hand, not by our code."""

from every_provider import EVERY

FORMATS = dict.fromkeys(EVERY, "openai.chat") | {
    "anthropic": "anthropic.messages",
    "anthropic by its SDK": "anthropic.messages",
    "bedrock": "bedrock.converse",
    "bedrock signed": "bedrock.converse",
    "cohere": "cohere.v2.chat",
    "custom": "none",
    "gemini": "gemini.generate",
    "local_claude": "claude_cli",
    "openai_responses": "openai.responses",
    "openai_responses by its SDK": "openai.responses",
    "vertex": "gemini.generate",
}
_JSON = "Answer with one JSON object alone, without a code fence."
SENT = {
    "anthropic.messages": {
        "json": {"system": _JSON},
        "stop": {"stop_sequences": ["END"]},
        "effort": {"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}},
        "system": {"system": "Be brief."},
    },
    "bedrock.converse": {
        "json": {"system": [{"text": _JSON}]},
        "stop": {"inferenceConfig": {"stopSequences": ["END"]}},
        "temp": {"inferenceConfig": {"temperature": 0.5}},
        "effort": {"additionalModelRequestFields": {"reasoningConfig": {"maxReasoningEffort": "low"}}},
        "system": {"system": [{"text": "Be brief."}]},
    },
    "claude_cli": {
        "json": {"argv": ["--system-prompt", _JSON]},
        "effort": {"argv": ["--effort", "low"]},
        "system": {"argv": ["--system-prompt", "Be brief."]},
    },
    "cohere.v2.chat": {
        "json": {"response_format": {"type": "json_object"}},
        "seed": {"seed": 7},
        "stop": {"stop_sequences": ["END"]},
        "temp": {"temperature": 0.5},
        "effort": {"thinking": {"type": "disabled"}},
        "system": {"messages": [{"role": "system", "content": "Be brief."}]},
    },
    "gemini.generate": {
        "json": {"generationConfig": {"responseMimeType": "application/json"}},
        "seed": {"generationConfig": {"seed": 7}},
        "stop": {"generationConfig": {"stopSequences": ["END"]}},
        "temp": {"generationConfig": {"temperature": 0.5}},
        "effort": {"generationConfig": {"thinkingConfig": {"thinkingLevel": "low"}}},
        "system": {"systemInstruction": {"parts": [{"text": "Be brief."}]}},
    },
    "openai.chat": {
        "json": {"response_format": {"type": "json_object"}},
        "seed": {"seed": 7},
        "stop": {"stop": ["END"]},
        "temp": {"temperature": 0.5},
        "effort": {"reasoning_effort": "low"},
        "system": {"messages": [{"role": "system", "content": "Be brief."}]},
    },
    "openai.responses": {
        "json": {"text": {"format": {"type": "json_object"}}},
        "temp": {"temperature": 0.5},
        "effort": {"reasoning": {"effort": "low"}},
        "system": {"input": [{"role": "system", "content": [{"type": "input_text", "text": "Be brief."}]}]},
    },
}
"""Fields of the body, or command-line arguments, that an option must set."""
SENT_BY = {("mistral", "seed"): {"random_seed": 7}, ("openrouter", "effort"): {"reasoning": {"effort": "low"}}}
"""Fields of hosts that differ from their format."""
CLIENT_ARGUMENTS = {
    "json": {"json_mode": True},
    "seed": {"seed": 7},
    "stop": {"stop": "END"},
    "temp": {"temperature": 0.5},
    "effort": {"reasoning_effort": "low"},
    "system": {"system": "Be brief."},
}
CANNOT = {
    ("anthropic.messages", "temp"): "anthropic takes no temperature\n  its API refuses the whole request\n",
    ("anthropic.messages", "seed"): "anthropic takes no seed\n  its API has no field for it\n",
    ("bedrock.converse", "seed"): "bedrock takes no seed\n  its API has no field for it\n",
    ("claude_cli", "temp"): "local_claude takes no temperature\n  it has no option for that\n",
    ("claude_cli", "seed"): "local_claude takes no seed\n  it has no option for that\n",
    ("claude_cli", "stop"): "local_claude takes no stop\n  it has no option for that\n",
    ("claude_cli", "tools"): "the claude command line takes no tools",
    ("openai.responses", "seed"): "openai takes no seed\n  its API has no field for it\n",
    ("openai.responses", "stop"): "openai takes no stop\n  its API has no field for it\n",
}
"""What the user reads instead, before anything is sent."""
SOME = {
    "temp": {name: "gpt-5-chat-latest" for name in EVERY if name.startswith("openai")}
    | {"litellm": "gpt-5-chat-latest"},
    "effort": {
        "bedrock": "global.amazon.nova-2-lite-v1:0",
        "bedrock signed": "global.amazon.nova-2-lite-v1:0",
        "cerebras": "gpt-oss-120b",
        "groq": "openai/gpt-oss-20b",
        "xai": "grok-4.3",
    },
    "images": {
        "cerebras": "llama-4-scout-17b-16e-instruct",
        "cohere": "command-a-vision-07-2025",
        "fireworks": "accounts/fireworks/models/llama4-scout-instruct-basic",
        "groq": "meta-llama/llama-4-scout-17b-16e-instruct",
        "together": "meta-llama/Llama-4-Scout-17B-16E-Instruct",
    },
}
"""Models that can what the default one cannot."""
_ONE = {"data": [{"id": "m"}]}
_OF_BEDROCK = {
    "/foundation-models": {"modelSummaries": [{"modelId": "m"}]},
    "/inference-profiles?maxResults=1000": {"inferenceProfileSummaries": []},
}
LISTS = {name: {"/v1/models": _ONE} for name in EVERY} | {
    "anthropic": {"/v1/models?limit=1000": _ONE},
    "anthropic by its SDK": {"/v1/models?limit=1000": _ONE},
    "azure": {"/openai/deployments?api-version=2023-03-15-preview": _ONE},
    "azure deployments": {"/openai/deployments?api-version=2023-03-15-preview": _ONE},
    "bedrock": _OF_BEDROCK,
    "bedrock signed": _OF_BEDROCK,
    "cohere": {"/v1/models?page_size=1000": {"models": [{"name": "m"}]}},
    "gemini": {"/v1/models?pageSize=1000": {"models": [{"name": "models/m"}]}},
    "ollama": {"/api/tags": {"models": [{"model": "m"}]}, "/api/show": {}},
    "openrouter": {"/v1/models?limit=500": _ONE},
    "together": {"/v1/models": _ONE["data"]},
    "vertex": {
        "/v1beta1/publishers/google/models?pageSize=100": {"publisherModels": [{"name": "publishers/google/m"}]}
    },
}
"""What it lists its models with, by path."""
NO_LIST = ("litellm", "local_claude", "custom")
_COUNT_OF_GEMINI = "/publishers/google/models/gemini-3.1-flash-lite:countTokens"
_COUNTS_OF_BEDROCK = {"/model/anthropic.claude-haiku-4-5-20251001-v1%3A0/count-tokens": {"inputTokens": 42}}
COUNTS = {
    "anthropic": {"/v1/messages/count_tokens": {"input_tokens": 42}},
    "anthropic by its SDK": {"/v1/messages/count_tokens": {"input_tokens": 42}},
    "bedrock": _COUNTS_OF_BEDROCK,
    "bedrock signed": _COUNTS_OF_BEDROCK,
    "gemini": {"/v1/models/gemini-3.1-flash-lite:countTokens": {"totalTokens": 42}},
    "openai": {"/v1/responses/input_tokens": {"input_tokens": 42}},
    "openai_responses": {"/v1/responses/input_tokens": {"input_tokens": 42}},
    "vertex": {f"/v1/projects/my-project/locations/global{_COUNT_OF_GEMINI}": {"totalTokens": 42}},
}
"""What it counts with, by path; the others estimate."""
STATUSES = {
    400: {"invalid_request"},
    401: {"auth"},
    403: {"permission"},
    404: {"not_found"},
    413: {"invalid_request"},
    429: {"rate_limited"},
    500: {"server"},
    503: {"overloaded", "server"},
    529: {"overloaded"},
}
"""Kinds of error by status."""
COMMANDS = {
    "fails": ("error: unknown option\n  it ended with exit code 1", "process"),
    "killed": ("it ended with exit code -9", "process"),
    "401": ("Invalid API key\n  it ended with exit code 1\n  run `claude` once", "auth"),
}
"""What a command does, the words of the error that it makes, and its kind."""
