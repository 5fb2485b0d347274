"""Providers whose APIs have formats of their own, and other ways to call them."""

from __future__ import annotations

from llm_gateway.catalog.entry import ChatQuirks, ProviderEntry, Unsupported

__all__ = ["PROVIDERS"]

_SAMPLING = ("temperature", "top_p")
_EFFORT = ("reasoning_effort",)
_IMAGES = ("images",)
_REASONS = "it reasons, and takes 1 alone"
_NO_LEVEL = "it has no such level"
_NO_REASONING = "it does not reason"
_TEXT_ONLY = "it reads text alone"
_BUDGET = "it thinks within a budget of tokens, and knows no levels"
_REJECTS = "it refuses the whole request"
_UP_TO_HIGH = ("low", "medium", "high")

_CLAUDE_WITHOUT_LEVELS = r"claude-(v?[123]|instant|(haiku|opus|sonnet)-4(-[015])?(-\d{8}|-v\d|@|$))"
_CLAUDE_THINKING = '{"type": "enabled", "budget_tokens": 2048}'
# Guide to adaptive thinking on Bedrock.
_CLAUDE_ALWAYS_THINKS = Unsupported(_EFFORT, "it always thinks", r"claude-(fable|mythos)-5", rejected=("none",))
_GEMINI_THINKING = 'extra={"generationConfig": {"thinkingConfig": {"thinkingBudget": 2048}}}'
# ai.google.dev/gemini-api/docs/thinking, and google-genai's ThinkingLevel.
_GEMINI = (
    Unsupported(_EFFORT, _NO_REASONING, r"gemini-(1|2\.0)"),
    Unsupported(_EFFORT, _BUDGET, r"gemini-2\.5-pro", fix=_GEMINI_THINKING),
    Unsupported(_EFFORT, _BUDGET, r"gemini-2\.5", allowed=("none",), fix=_GEMINI_THINKING),
    Unsupported(_EFFORT, _NO_LEVEL, r"gemini-[3-9]", allowed=("minimal", *_UP_TO_HIGH, "xhigh")),
)
_GEMINI_MODEL = "gemini-3.1-flash-lite"
_OPENAI_CHAT = ChatQuirks("max_completion_tokens", numbers_calls=False)

PROVIDERS = (
    ProviderEntry(
        "anthropic",
        "Anthropic",
        adapter="anthropic",
        hosts=("api.anthropic.com",),
        base_url="https://api.anthropic.com",
        default_model="claude-haiku-5-5",
        usual_models=("claude-opus-4-5", "claude-sonnet-4-5", "claude-haiku-4-5"),
        key_variables=("ANTHROPIC_API_KEY",),
        credential_variables=("ANTHROPIC_AUTH_TOKEN",),
        url_variable="ANTHROPIC_BASE_URL",
        sdk_url_variables={"ANTHROPIC_BASE_URL": ""},
        key_patterns=(("Anthropic key", "sk-ant-", r"sk-ant-[A-Za-z0-9_-]{8,}"),),
        sdk_package="anthropic",
        model_list="anthropic",
        unsupported=(
            Unsupported(_EFFORT, _BUDGET, _CLAUDE_WITHOUT_LEVELS, fix=f'extra={{"thinking": {_CLAUDE_THINKING}}}'),
            _CLAUDE_ALWAYS_THINKS,
        ),
        request_id_header="request-id",
        has_published_limits=True,
    ),
    ProviderEntry(
        "local_claude",
        "Claude Code",
        adapter="local_claude",
        default_model="haiku",
        sdk_package="claude_agent_sdk",
        has_published_limits=True,
    ),
    ProviderEntry(
        "openai",
        "OpenAI",
        adapter="openai",
        hosts=("api.openai.com", ".api.openai.com"),
        base_url="https://api.openai.com/v1",
        default_model="gpt-5-mini",
        usual_models=("gpt-5", "gpt-5-mini", "gpt-4.1"),
        key_variables=("OPENAI_API_KEY",),
        url_variable="OPENAI_BASE_URL",
        sdk_url_variables={"OPENAI_BASE_URL": "/v1", "OPENAI_API_BASE": "/v1"},
        key_patterns=(("OpenAI key", "sk-", r"sk-(?:proj|svcacct|admin|None)-[A-Za-z0-9_-]{16,}"),),
        sdk_package="openai",
        chat=_OPENAI_CHAT,
        # developers.openai.com: guide to reasoning, parameter compatibility of 5.1 to 5.4, and openai 3.52's types.
        unsupported=(
            Unsupported(_SAMPLING, _REASONS, r"^(o[134](-|$)|gpt-5(-mini|-nano|-\d{4}|$))", allowed=(1,)),
            Unsupported(
                _SAMPLING,
                _REASONS,
                r"^gpt-5\.[1-4](-mini|-nano|-\d{4}|$)",
                allowed=(1,),
                unless_effort=(None, "none"),
            ),
            Unsupported(_EFFORT, _NO_REASONING, r"^(gpt-3|gpt-4|chatgpt|gpt-5-chat)"),
            Unsupported(_EFFORT, _NO_LEVEL, r"^gpt-5(-mini|-nano|-\d{4}|$)", allowed=("minimal", *_UP_TO_HIGH)),
            Unsupported(_EFFORT, _NO_LEVEL, r"^gpt-5\.1(-\d{4}|$)", allowed=("none", *_UP_TO_HIGH)),
            Unsupported(_EFFORT, _NO_LEVEL, r"^o[134](-|$)", allowed=_UP_TO_HIGH),
            Unsupported(("stop",), _REJECTS, r"^(o3|o4-mini)(-\d{4}|$)"),
            Unsupported(
                _IMAGES,
                _TEXT_ONLY,
                r"^(gpt-3\.5|gpt-4(-32k)?(-\d{4})?(-preview)?$|gpt-4-turbo-preview|o3-mini)",
            ),
        ),
        has_published_limits=True,
    ),
    ProviderEntry("openai_responses", "OpenAI responses", adapter="openai:responses", shares="openai"),
    ProviderEntry(
        "azure",
        "Azure",
        adapter="azure",
        hosts=(
            ".openai.azure.com",
            ".services.ai.azure.com",
            ".cognitiveservices.azure.com",
            ".inference.ai.azure.com",
        ),
        base_url="https://{resource}.openai.azure.com",
        example_model="my-deployment",
        key_variables=("AZURE_OPENAI_API_KEY", "AZURE_OPENAI_AD_TOKEN"),
        url_variable="AZURE_OPENAI_ENDPOINT",
        version_variable="OPENAI_API_VERSION",
        sdk_url_variables={"AZURE_OPENAI_ENDPOINT": "", "AZURE_API_BASE": ""},
        telemetry_name="azure.ai.openai",
        chat=_OPENAI_CHAT,
        has_published_limits=True,
        has_deployments=True,
    ),
    ProviderEntry(
        "gemini",
        "Gemini",
        adapter="gemini",
        hosts=("generativelanguage.googleapis.com",),
        base_url="https://generativelanguage.googleapis.com/v1beta",
        default_model=_GEMINI_MODEL,
        usual_models=("gemini-2.5-pro", "gemini-2.5-flash"),
        key_variables=("GEMINI_API_KEY", "GOOGLE_API_KEY"),
        sdk_url_variables={"GOOGLE_GEMINI_BASE_URL": ""},
        key_patterns=(("Google API key", "AIza", r"AIza[A-Za-z0-9_-]{30,}"),),
        sdk_package="google.genai",
        price_list_id="google",
        telemetry_name="gcp.gemini",
        model_list="gemini",
        unsupported=_GEMINI,
        has_published_limits=True,
    ),
    ProviderEntry(
        "vertex",
        "Vertex",
        adapter="vertex",
        hosts=(
            "aiplatform.googleapis.com",
            "aiplatform.eu.rep.googleapis.com",
            "aiplatform.us.rep.googleapis.com",
            "-aiplatform.googleapis.com",
        ),
        base_url="https://{region}-aiplatform.googleapis.com",
        default_region="global",
        regional_urls={
            "global": "https://aiplatform.googleapis.com",
            "eu": "https://aiplatform.eu.rep.googleapis.com",
            "us": "https://aiplatform.us.rep.googleapis.com",
        },
        default_model=_GEMINI_MODEL,
        key_variables=("GOOGLE_OAUTH_ACCESS_TOKEN",),
        login_variables=("GOOGLE_APPLICATION_CREDENTIALS",),
        project_variable="GOOGLE_CLOUD_PROJECT",
        region_variables=("GOOGLE_CLOUD_LOCATION",),
        sdk_url_variables={"GOOGLE_VERTEX_BASE_URL": "", "ANTHROPIC_VERTEX_BASE_URL": "/v1"},
        price_list_id="google",
        telemetry_name="gcp.vertex_ai",
        model_list="vertex",
        unsupported=_GEMINI,
        has_published_limits=True,
    ),
    ProviderEntry(
        "bedrock",
        "Bedrock",
        adapter="bedrock",
        host_pattern=(r"bedrock(-[a-z-]+)?\.[a-z0-9-]+\.(amazonaws\.com|api\.aws)|.*\.bedrock.*\.amazonaws\.com"),
        base_url="https://bedrock-runtime.{region}.amazonaws.com",
        default_region="us-east-1",
        default_model="global.anthropic.claude-haiku-4-5-20251001-v1:0",
        usual_models=("anthropic.claude-sonnet-4-5-20250929-v1:0", "amazon.nova-lite-v1:0"),
        key_variables=("AWS_BEARER_TOKEN_BEDROCK",),
        placeholder_variables=("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
        credential_variables=("AWS_PROFILE",),
        url_variable="AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
        region_variables=("AWS_REGION", "AWS_DEFAULT_REGION"),
        sdk_url_variables={"AWS_ENDPOINT_URL_BEDROCK_RUNTIME": "", "ANTHROPIC_BEDROCK_BASE_URL": ""},
        key_patterns=(
            ("Bedrock key", "ABSK", r"ABSK[A-Za-z0-9+/]{60,}={0,2}"),
            ("Bedrock key", "bedrock-api-key-", r"bedrock-api-key-[A-Za-z0-9+/=_-]{20,}"),
        ),
        price_list_id="aws",
        telemetry_name="aws.bedrock",
        model_list="bedrock",
        unsupported=(
            Unsupported(
                _EFFORT,
                _BUDGET,
                _CLAUDE_WITHOUT_LEVELS,
                fix=f'extra={{"additionalModelRequestFields": {{"thinking": {_CLAUDE_THINKING}}}}}',
            ),
            _CLAUDE_ALWAYS_THINKS,
            # "What's new in Claude 4.7": sampling parameters are gone.
            Unsupported(_SAMPLING, _REJECTS, r"claude-opus-4-7"),
            Unsupported(_EFFORT, _NO_LEVEL, r"nova-2", allowed=("none", *_UP_TO_HIGH)),
        ),
        request_id_header="x-amzn-requestid",
        has_published_limits=True,
    ),
    ProviderEntry(
        "cohere",
        "Cohere",
        adapter="cohere",
        hosts=("api.cohere.com", "api.cohere.ai"),
        paths=(
            (r"cohere\.(com|ai)/v1/chat", "cohere.v1.chat"),
            (r"cohere\.(com|ai)/v1/generate", "cohere.v1.generate"),
            (r"cohere\.(com|ai)/v[12]/embed", "cohere.v2.embed"),
        ),
        base_url="https://api.cohere.com",
        default_model="command-r7b-12-2024",
        usual_models=("command-a-03-2025", "command-r-plus-08-2024"),
        key_variables=("CO_API_KEY", "COHERE_API_KEY"),
        placeholder_variables=("CO_API_KEY", "COHERE_API_KEY"),
        url_variable="CO_API_URL",
        sdk_url_variables={"CO_API_URL": ""},
        sdk_package="cohere",
        model_list="cohere",
        unsupported=(Unsupported(_IMAGES, _TEXT_ONLY, r"^command-(r|a-03)"),),
        has_published_limits=True,
    ),
    ProviderEntry(
        "ollama",
        "Ollama",
        adapter="compatible",
        port=11434,
        paths=(
            (r"(ollama[^/]*|:11434)/api/chat", "ollama.chat"),
            (r"(ollama[^/]*|:11434)/api/generate", "ollama.generate"),
            (r"(ollama[^/]*|:11434)/api/embed(dings)?", "ollama.embed"),
        ),
        base_url="http://localhost:11434/v1",
        default_model="llama3.2",
        usual_models=("llama3.2:latest",),
        needs_key=False,
        url_variable="OLLAMA_BASE_URL",
        sdk_url_variables={"OLLAMA_HOST": "", "OLLAMA_API_BASE": "", "OLLAMA_BASE_URL": "/v1"},
        sdk_package="ollama",
        model_list="ollama",
        is_local=True,
        has_colons=True,
    ),
)
