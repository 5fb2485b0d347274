"""Providers that speak formats of others, mostly OpenAI's chat completions, and those that are recognised only."""

from __future__ import annotations

from llm_gateway.catalog.entry import ChatQuirks, ProviderEntry, Unsupported

__all__ = ["CALLED", "RECOGNISED"]

_EFFORT = ("reasoning_effort",)
_NO_LEVEL = "its host has no such level"
_UP_TO_HIGH = ("low", "medium", "high")

CALLED = (
    ProviderEntry(
        "groq",
        "Groq",
        adapter="compatible",
        hosts=("api.groq.com",),
        base_url="https://api.groq.com/openai/v1",
        default_model="llama-3.1-8b-instant",
        key_variables=("GROQ_API_KEY",),
        sdk_url_variables={"GROQ_BASE_URL": "", "GROQ_API_BASE": "/openai/v1"},
        key_patterns=(("Groq key", "gsk_", r"gsk_[A-Za-z0-9]{20,}"),),
        sdk_package="groq",
        model_list="groq",
        chat=ChatQuirks("max_completion_tokens", stream_usage="last", stream_calls="whole", numbers_calls=False),
        # groq 1.7, types of chat completions.
        unsupported=(
            Unsupported(_EFFORT, "it does not reason", r"llama-(3|4|guard)|gemma"),
            Unsupported(_EFFORT, _NO_LEVEL, "", allowed=("none", *_UP_TO_HIGH)),
        ),
    ),
    ProviderEntry(
        "mistral",
        "Mistral",
        adapter="compatible",
        hosts=("api.mistral.ai", "api.eu.mistral.ai", "api.us.mistral.ai", "codestral.mistral.ai"),
        base_url="https://api.mistral.ai/v1",
        default_model="mistral-small-latest",
        usual_models=("mistral-large-latest", "mistral-small-latest"),
        key_variables=("MISTRAL_API_KEY",),
        sdk_url_variables={"MISTRAL_API_BASE": "/v1"},
        sdk_package="mistralai",
        telemetry_name="mistral_ai",
        model_list="mistral",
        chat=ChatQuirks(seed_field="random_seed", has_stream_options=False, stream_usage="last", stream_calls="last"),
        has_published_limits=True,
    ),
    ProviderEntry(
        "together",
        "Together",
        adapter="compatible",
        hosts=("api.together.ai", "api.together.xyz", "api-inference.together.ai"),
        base_url="https://api.together.ai/v1",
        default_model="meta-llama/Llama-3.3-70B-Instruct-Turbo",
        key_variables=("TOGETHER_API_KEY",),
        sdk_url_variables={"TOGETHER_BASE_URL": ""},
        key_patterns=(("Together key", "tgp_v1_", r"tgp_v1_[A-Za-z0-9_-]{20,}"),),
        sdk_package="together",
        model_list="together",
        chat=ChatQuirks(stream_usage="last"),
        # together 3.1, types of chat completions.
        unsupported=(Unsupported(_EFFORT, _NO_LEVEL, "", allowed=_UP_TO_HIGH),),
    ),
    ProviderEntry(
        "openrouter",
        "OpenRouter",
        adapter="compatible",
        hosts=("openrouter.ai",),
        base_url="https://openrouter.ai/api/v1",
        default_model="openai/gpt-5-mini",
        key_variables=("OPENROUTER_API_KEY",),
        sdk_url_variables={"OPENROUTER_API_BASE": "/api/v1"},
        key_patterns=(("OpenRouter key", "sk-or-", r"sk-or-[A-Za-z0-9_-]{16,}"),),
        model_list="openrouter",
        chat=ChatQuirks(effort_as="reasoning", reasoning_field="reasoning"),
        states_cost=True,
    ),
    ProviderEntry(
        "deepseek",
        "DeepSeek",
        adapter="compatible",
        hosts=("api.deepseek.com",),
        paths=((r"deepseek\.com/responses", "openai.responses"),),
        base_url="https://api.deepseek.com",
        default_model="deepseek-chat",
        key_variables=("DEEPSEEK_API_KEY",),
        sdk_url_variables={"DEEPSEEK_API_BASE": ""},
        chat=ChatQuirks(
            effort_as="thinking", reasoning_field="reasoning_content", has_schemas=False, stream_usage="last"
        ),
        has_published_limits=True,
    ),
    ProviderEntry(
        "xai",
        "xAI",
        adapter="compatible",
        hosts=("api.x.ai",),
        base_url="https://api.x.ai/v1",
        default_model="grok-4-fast",
        key_variables=("XAI_API_KEY",),
        sdk_url_variables={"XAI_API_BASE": "/v1"},
        key_patterns=(("xAI key", "xai-", r"xai-[A-Za-z0-9]{20,}"),),
        price_list_id="x-ai",
        telemetry_name="x_ai",
        chat=ChatQuirks(stream_usage="always"),
        # docs.x.ai, guide to reasoning.
        unsupported=(
            Unsupported(
                _EFFORT, "it has no levels", r"^grok-4(-\d{4}|-latest|-fast\S*|-1-fast\S*)?$|^grok-code-fast-1"
            ),
        ),
        has_published_limits=True,
    ),
    ProviderEntry(
        "fireworks",
        "Fireworks",
        adapter="compatible",
        hosts=("api.fireworks.ai",),
        base_url="https://api.fireworks.ai/inference/v1",
        default_model="accounts/fireworks/models/gpt-oss-20b",
        key_variables=("FIREWORKS_API_KEY",),
        sdk_url_variables={"FIREWORKS_API_BASE": "/inference/v1"},
        key_patterns=(("Fireworks key", "fw_", r"fw_[A-Za-z0-9]{22,}"),),
        chat=ChatQuirks(stream_usage="always"),
    ),
    ProviderEntry(
        "cerebras",
        "Cerebras",
        adapter="compatible",
        hosts=("api.cerebras.ai",),
        base_url="https://api.cerebras.ai/v1",
        default_model="llama3.1-8b",
        key_variables=("CEREBRAS_API_KEY",),
        sdk_url_variables={"CEREBRAS_API_BASE": "/v1"},
        key_patterns=(("Cerebras key", "csk-", r"csk-[A-Za-z0-9]{32,}"),),
        chat=ChatQuirks("max_completion_tokens", stream_usage="always"),
    ),
    ProviderEntry(
        "compatible",
        "Compatible",
        adapter="compatible",
        needs_key=False,
        has_colons=True,
        chat=ChatQuirks(reasoning_field="reasoning_content"),  # as vLLM, SGLang and llama.cpp have it
    ),
    ProviderEntry(
        "litellm",
        "LiteLLM",
        adapter="litellm",
        example_model="watsonx/ibm/granite-4-h-small",
        sdk_package="litellm",
        has_colons=True,
    ),
)
"""Providers that the client calls with chat completions."""

RECOGNISED = (
    ProviderEntry(
        "perplexity",
        "Perplexity",
        hosts=("api.perplexity.ai",),
        base_url="https://api.perplexity.ai",
        key_variables=("PERPLEXITY_API_KEY",),
        sdk_url_variables={"PERPLEXITY_API_BASE": ""},
        key_patterns=(("Perplexity key", "pplx-", r"pplx-[A-Za-z0-9]{32,}"),),
    ),
    ProviderEntry(
        "huggingface",
        "Hugging Face",
        hosts=("router.huggingface.co", "api-inference.huggingface.co", ".huggingface.cloud"),
        key_variables=("HF_TOKEN",),
        key_patterns=(("Hugging Face token", "hf_", r"hf_[A-Za-z0-9]{30,}"),),
    ),
    ProviderEntry(
        "voyage",
        "Voyage",
        hosts=("api.voyageai.com",),
        paths=(
            (r"voyageai\.com/v1/embeddings", "voyage.embeddings"),
            (r"voyageai\.com/v1/rerank", "voyage.rerank"),
        ),
        key_variables=("VOYAGE_API_KEY",),
        price_list_id="voyageai",
    ),
    ProviderEntry(
        "replicate",
        "Replicate",
        hosts=("api.replicate.com",),
        key_variables=("REPLICATE_API_TOKEN",),
        key_patterns=(("Replicate token", "r8_", r"r8_[A-Za-z0-9]{20,}"),),
    ),
    ProviderEntry(
        "writer",
        "Writer",
        hosts=("api.writer.com",),
        paths=((r"api\.writer\.com/v1/chat", "openai.chat"),),
        key_variables=("WRITER_API_KEY",),
    ),
    ProviderEntry("zai", "Z.ai", hosts=("api.z.ai",), key_variables=("ZAI_API_KEY",)),
    ProviderEntry(
        "moonshot",
        "Moonshot",
        hosts=("api.moonshot.ai", "api.moonshot.cn"),
        key_variables=("MOONSHOT_API_KEY",),
        price_list_id="moonshotai",
    ),
    ProviderEntry(
        "dashscope",
        "DashScope",
        hosts=("dashscope.aliyuncs.com",),
        key_variables=("DASHSCOPE_API_KEY",),
    ),
    ProviderEntry(
        "alephalpha",
        "Aleph Alpha",
        hosts=("api.aleph-alpha.com",),
        paths=((r"aleph-alpha\.com/complete", "alephalpha.complete"),),
    ),
    ProviderEntry(
        "pydantic-gateway",
        "Pydantic Gateway",
        hosts=("gateway.pydantic.dev",),
        key_patterns=(("Pydantic token", "pylf_v", r"pylf_v\d_[a-z]{2}_[A-Za-z0-9]{20,}"),),
    ),
    ProviderEntry("portkey", "Portkey", hosts=("api.portkey.ai",), key_variables=("PORTKEY_API_KEY",)),
)
"""Providers that the client does not call, but whose traffic is recorded, replayed and kept in."""
