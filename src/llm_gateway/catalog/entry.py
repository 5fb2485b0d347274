"""The fields of an entry of the catalogue: named tuples, as pytest waits for them when it starts."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple

__all__ = ["ChatQuirks", "ProviderEntry", "Unsupported"]


_EMPTY: Mapping[str, str] = MappingProxyType({})


class Unsupported(NamedTuple):
    """
    Options that an API or a model rejects, except for some values.

    Attributes:
        options: Names of `llm_gateway.wire.params.NAMES`.

        reason: Completes "it takes no ... :" in an error message.

        models: A pattern that is searched for in the model's name, in lower case; None is the API as a whole.

        allowed: Values that are accepted nevertheless.

        rejected: The only values that are not accepted; empty where all but *allowed* are rejected.

        unless_effort: Values of ``reasoning_effort`` at which everything is accepted.

        fix: Another way to send it, where there is one.
    """

    options: tuple[str, ...]
    reason: str
    models: str | None = None
    allowed: tuple[object, ...] = ()
    rejected: tuple[object, ...] = ()
    unless_effort: tuple[str | None, ...] = ()
    fix: str | None = None


class ChatQuirks(NamedTuple):
    """
    How a host differs from others that speak OpenAI's chat completions.

    Attributes:
        max_tokens_field: The field for the limit of an answer.

        seed_field: The field for the seed.

        effort_as: Where the reasoning effort goes: into ``reasoning_effort``, inside ``reasoning``, or also into
            ``thinking``, which turns it off.

        reasoning_field: The field of a message for the model's reasoning, where it goes back with the next turn.

        has_schemas: Whether it takes JSON schemas for answers.

        has_stream_options: Whether streamed requests contain ``stream_options``; some hosts reject the field.

        stream_usage: When a stream reports usage: in a chunk of its own where it was ``requested``, or ``always``, or
            always and in the ``last`` chunk that has a choice.

        stream_calls: How a stream sends tool calls: in ``chunks``, each ``whole``, or all in the ``last`` chunk.

        numbers_calls: Whether tool calls carry their index in replies that are not streamed, too.
    """

    max_tokens_field: str = "max_tokens"
    seed_field: str = "seed"
    effort_as: Literal["reasoning_effort", "reasoning", "thinking"] = "reasoning_effort"
    reasoning_field: str | None = None
    has_schemas: bool = True
    has_stream_options: bool = True
    stream_usage: Literal["requested", "always", "last"] = "requested"
    stream_calls: Literal["chunks", "whole", "last"] = "chunks"
    numbers_calls: bool = True


class ProviderEntry(NamedTuple):
    """
    A provider, or one way to call it.

    Attributes:
        name: As in ``LLM_PROVIDER=groq`` and ``groq:model``.

        display_name: As its documentation writes it.

        adapter: The module of `llm_gateway.providers` that calls it, with the name of the function after a colon where
            that is not ``provider``; empty where the client cannot call it. ``compatible`` is for every host of chat
            completions.

        shares: Another provider, whose settings and variables are used where this one has none of its own.

        hosts: Its hosts; one that begins with ``.`` or ``-`` is the end of a host.

        host_pattern: A pattern of a whole host, where *hosts* are not enough.

        port: The port by which it is recognised on any host.

        paths: Patterns of the end of host and path, each with the API there; only for paths that mean another API at
            other hosts.

        base_url: Where its API begins, with ``{region}`` or ``{resource}`` where that depends on the account; None
            where only the user knows.

        regional_urls: The same for regions that do not follow the rule.

        default_region: Assumed where neither a request nor a variable names one.

        default_model: Used where the caller names none.

        example_model: Shown where there is no default.

        usual_models: Models that `llm_gateway.fakes` lists where a test names none.

        needs_key: Whether calls without a key are rejected.

        key_variables: Environment variables for its key, in the order in which they are read.

        placeholder_variables: Those that a replay fills in; empty is the first of *key_variables*.

        credential_variables: What its SDK accepts instead of a key; no placeholder is set then.

        login_variables: What is as good as a key to record with, but needs no less a placeholder while replaying.

        url_variable: The environment variable for its address that the client reads.

        version_variable, project_variable, region_variables: The same for API version, project and region.

        sdk_url_variables: The environment variables from which SDKs and litellm read its address, each with the path
            that is expected after the host.

        key_patterns: What its keys look like: the kind, texts of which one occurs in every key, and the pattern.

        sdk_package: The package of its official SDK.

        price_list_id: Its id in genai-prices, where that is not *name*.

        telemetry_name: Its name in OpenTelemetry's conventions, where that is not *name*.

        model_list: Its format of model lists, by name in `llm_gateway.wire.model_lists`.

        chat: How it speaks chat completions.

        unsupported: Options that its models reject.

        request_id_header: The reply header that identifies a request.

        has_published_limits: Whether its models have the limits that their makers publish; other hosts set lower ones.

        states_cost: Whether replies state what the call cost.

        is_local: Whether it runs on a machine of the user's, for nothing.

        has_colons: Whether a colon in a model's name need not follow a provider's, as in ``llama:7b``.

        has_deployments: Whether models have names of the user's own choice, which say nothing of what is behind them.
    """

    name: str
    display_name: str
    adapter: str = ""
    shares: str = ""
    hosts: tuple[str, ...] = ()
    host_pattern: str = ""
    port: int | None = None
    paths: tuple[tuple[str, str], ...] = ()
    base_url: str | None = None
    regional_urls: Mapping[str, str] = _EMPTY
    default_region: str = ""
    default_model: str = ""
    example_model: str = "my-model"
    usual_models: tuple[str, ...] = ("fake-model",)
    needs_key: bool = True
    key_variables: tuple[str, ...] = ()
    placeholder_variables: tuple[str, ...] = ()
    credential_variables: tuple[str, ...] = ()
    login_variables: tuple[str, ...] = ()
    url_variable: str | None = None
    version_variable: str | None = None
    project_variable: str | None = None
    region_variables: tuple[str, ...] = ()
    sdk_url_variables: Mapping[str, str] = _EMPTY
    key_patterns: tuple[tuple[str, str, str], ...] = ()
    sdk_package: str = ""
    price_list_id: str = ""
    telemetry_name: str = ""
    model_list: str = "openai"
    chat: ChatQuirks = ChatQuirks()
    unsupported: tuple[Unsupported, ...] = ()
    request_id_header: str = "x-request-id"
    has_published_limits: bool = False
    states_cost: bool = False
    is_local: bool = False
    has_colons: bool = False
    has_deployments: bool = False

    def url_in(self, region: str) -> str:
        """Return the base URL in *region*."""
        return self.regional_urls.get(region) or (self.base_url or "").replace("{region}", region)

    @property
    def is_addressable(self) -> bool:
        """Whether a request's address can name it."""
        return bool(self.hosts or self.host_pattern or self.port)
