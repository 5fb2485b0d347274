"""Spans of real calls over real sockets, made with OpenTelemetry's own SDK."""

import asyncio
import json
import threading

import anyio
import pytest
from opentelemetry import trace
from opentelemetry.metrics import get_meter_provider
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.util.genai.handler import TelemetryHandler

from llm_gateway import LLMClient, SyncLLMClient
from llm_gateway.exceptions import ProviderError
from llm_gateway.observability.metrics import Metrics
from llm_gateway.observability.tracing import Tracing
from llm_gateway.types import LLMResponse, TokenUsage

SYNC_AND_ASYNC = pytest.mark.parametrize("client_class", [SyncLLMClient, LLMClient])


def run(client, call):
    """Return the result of *call*, a function of a sync or async client, and close the client."""
    if isinstance(client, SyncLLMClient):
        with client:
            return call(client)

    async def go():
        async with client:
            result = call(client)
            return await result if asyncio.iscoroutine(result) else result

    return asyncio.run(go())


def read(client, prompt, most=100, **options):
    """Return up to *most* deltas of a stream, and close the stream."""

    async def async_read():
        async with client.stream(prompt, **options) as stream:
            return [one async for _, one in anext_some(stream, most)]

    async def anext_some(stream, most):
        for number in range(most):
            try:
                yield number, await anext(stream)
            except StopAsyncIteration:
                return

    if isinstance(client, LLMClient):
        return async_read()
    with client.stream(prompt, **options) as stream:
        return [one for _, one in zip(range(most), stream, strict=False)]


class Spans:
    """A tracer provider, and the spans that it made."""

    def __init__(self):
        self._kept = InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self._kept))
        self.tracer = self.provider.get_tracer("test")

    @property
    def all(self):
        return self._kept.get_finished_spans()

    def named(self, start):
        return [one for one in self.all if one.name.startswith(start)]


@pytest.fixture
def spans():
    made = Spans()
    yield made
    made.provider.shutdown()


@pytest.fixture
def client_of(api, spans):
    """Return a function that makes an OpenAI client whose calls are traced."""

    def make(client_class, *, capture_content=False, **settings):
        tracing = Tracing(spans.provider, capture_content=capture_content)
        settings = {"api_key": "sk-secret", "base_url": f"{api.url}/v1", "model": "openai:gpt-5-mini"} | settings
        return client_class(observers=[tracing], **settings)

    return make


@SYNC_AND_ASYNC
def test_call_span_has_a_child_span_for_each_attempt(client_class, client_of, spans, api):
    """Attributes follow the semantic conventions; token counts of attempts have names of their own."""
    api.statuses = [429]
    run(
        client_of(client_class, session_id="s-1"),
        lambda llm: llm.chat("hello", max_tokens=9, stop=["."], extra={"seed": 7}),
    )
    rejected, answered, call = spans.all
    port = int(api.url.rpartition(":")[2])
    where = {"gen_ai.provider.name": "openai", "server.address": "127.0.0.1", "server.port": port}

    assert ("chat gpt-5-mini", trace.SpanKind.CLIENT, None) == (call.name, call.kind, call.parent)
    assert where | {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "gpt-5-mini",
        "gen_ai.request.max_tokens": 9,
        "gen_ai.request.stop_sequences": (".",),
        "gen_ai.request.seed": 7,
        "gen_ai.conversation.id": "s-1",
        "gen_ai.response.model": "gpt-5-mini",
        "gen_ai.response.id": "id-1",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": 11,
        "gen_ai.usage.output_tokens": 7,
        "gen_ai.usage.cache_read.input_tokens": 0,
        "gen_ai.usage.cache_write.input_tokens": 0,
        "llm_gateway.cost_usd": pytest.approx(0.00001675),
    } == dict(call.attributes)
    assert ["attempt gpt-5-mini"] * 2 == [rejected.name, answered.name]
    assert {call.context.span_id} == {rejected.parent.span_id, answered.parent.span_id}
    assert where | {
        "gen_ai.request.model": "gpt-5-mini",
        "llm_gateway.attempt": 1,
        "http.response.status_code": 429,
        "error.type": "rate_limited",
    } == dict(rejected.attributes)
    assert (2, 200, 11) == tuple(
        answered.attributes[name]
        for name in ("llm_gateway.attempt", "http.response.status_code", "llm_gateway.input_tokens")
    )
    assert [False, True, True] == [one.status.is_ok for one in (rejected, answered, call)]


@SYNC_AND_ASYNC
def test_call_span_names_the_fallback_model_that_answered(client_class, client_of, spans, api, monkeypatch):
    """The requested model stays the one of the call, and fallbacks are counted."""
    monkeypatch.setenv("LLM_MAX_RETRIES", "0")
    monkeypatch.setenv("LLM_FALLBACK_MODELS", "gpt-5-nano")
    api.statuses = [529]
    run(client_of(client_class), lambda llm: llm.chat("hello"))
    (call,) = spans.named("chat")

    assert ["gpt-5-mini", "gpt-5-nano"] == [one.attributes["gen_ai.request.model"] for one in spans.named("attempt")]
    assert ("gpt-5-mini", "gpt-5-nano", 1) == tuple(
        call.attributes[name] for name in ("gen_ai.request.model", "gen_ai.response.model", "llm_gateway.fallbacks")
    )


@SYNC_AND_ASYNC
@pytest.mark.parametrize(("most", "end"), [(100, None), (1, "abandoned")])
def test_stream_span_ends_when_reading_stops(most, end, client_class, client_of, spans):
    """It has the time to the first chunk; a stream closed early is marked as abandoned."""
    run(client_of(client_class), lambda llm: read(llm, "hello", most))
    (attempt,), (call,) = spans.named("attempt"), spans.named("chat")

    assert call.attributes["gen_ai.request.stream"]
    assert 0 < call.attributes["gen_ai.response.time_to_first_chunk"] < 5
    assert [end, end] == [one.attributes.get("llm_gateway.end") for one in (attempt, call)]
    assert end or 11 == call.attributes["gen_ai.usage.input_tokens"]
    assert call.status.is_ok


@SYNC_AND_ASYNC
def test_broken_stream_is_an_error_span(client_class, client_of, spans, api):
    """The call and its attempt have the error's kind."""
    api.cut_after = 3
    with pytest.raises(ProviderError):
        run(client_of(client_class), lambda llm: read(llm, "hello"))

    assert ["stream_interrupted"] * 2 == [one.attributes["error.type"] for one in spans.all]


class Slow:
    """Custom provider that records the current span of each call."""

    def __init__(self, spans):
        self.spans, self.seen = spans, {}

    async def wait(self):
        await anyio.sleep(0.01)

    async def complete(self, messages, response_model=None):
        self.seen[messages[-1].text] = trace.get_current_span()
        with self.spans.tracer.start_as_current_span(f"inner {messages[-1].text}"):
            await self.wait()
        return LLMResponse(messages[-1].text, "slow", "model-1", usage=TokenUsage(1, 1))

    async def close(self):
        pass


class Cancelling(Slow):
    """Custom provider that cancels each call instead of answering it."""

    scope = None

    async def wait(self):
        self.scope.cancel()
        await anyio.sleep_forever()


def cancelled_while_waiting(client, provider):
    async def work():
        with anyio.CancelScope() as provider.scope:
            await client.chat("hello")

    return work


def cancelled_while_reading(client, provider):
    async def work():
        with anyio.CancelScope() as scope:
            async with client.stream("hello") as stream:
                await anext(stream)
                scope.cancel()
                await anyio.sleep_forever()

    return work


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("work", [cancelled_while_waiting, cancelled_while_reading])
def test_cancelled_task_ends_its_spans(work, backend, client_of, spans):
    """A call cancelled while waiting for the provider has no cost attribute."""
    provider = Cancelling(spans)
    settings = {"provider_instance": provider} if work is cancelled_while_waiting else {}
    anyio.run(work(client_of(LLMClient, **settings), provider), backend=backend)
    (attempt,), (call,) = spans.named("attempt"), spans.named("chat")

    assert ["cancelled", "cancelled"] == [one.attributes["error.type"] for one in (attempt, call)]
    if work is cancelled_while_waiting:
        assert "llm_gateway.cost_usd" not in call.attributes


def make_concurrent_calls(client, spans, count):
    """Make *count* calls at once, each within its own outer span: in tasks of one event loop, or in threads."""

    async def one(number):
        with spans.tracer.start_as_current_span(f"outer {number}") as outer:
            await client.chat(f"{number}")
            assert trace.get_current_span() is outer

    def one_sync(number):
        with spans.tracer.start_as_current_span(f"outer {number}") as outer:
            client.chat(f"{number}")
            assert trace.get_current_span() is outer

    async def tasks():
        async with client, anyio.create_task_group() as group:
            for number in range(count):
                group.start_soon(one, number)

    if isinstance(client, LLMClient):
        return anyio.run(tasks)
    threads = [threading.Thread(target=one_sync, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    return [thread.join() for thread in threads]


@SYNC_AND_ASYNC
def test_concurrent_calls_have_separate_traces(client_class, client_of, spans):
    """Outer, call, attempt and inner spans are nested correctly in tasks and in threads."""
    provider = Slow(spans)
    make_concurrent_calls(client_of(client_class, provider_instance=provider), spans, 20)
    by_id = {one.context.span_id: one for one in spans.all}

    assert 80 == len(by_id)
    for number in range(20):
        (inner,) = [one for one in spans.all if one.name == f"inner {number}"]
        attempt = by_id[inner.parent.span_id]
        call = by_id[attempt.parent.span_id]
        assert (1, "chat", f"outer {number}") == (
            attempt.attributes["llm_gateway.attempt"],
            call.attributes["gen_ai.operation.name"],
            by_id[call.parent.span_id].name,
        )
        assert attempt.context.span_id == provider.seen[f"{number}"].get_span_context().span_id


@SYNC_AND_ASYNC
def test_reader_of_a_stream_is_outside_its_span(client_class, client_of, spans):
    """The span is current only while the client waits for the provider."""
    current = []

    async def work(llm):
        current.extend([trace.get_current_span() async for _ in llm.stream("hello")])

    def work_sync(llm):
        current.extend(trace.get_current_span() for _ in llm.stream("hello"))

    run(client_of(client_class), work if client_class is LLMClient else work_sync)

    assert current
    assert {trace.INVALID_SPAN} == set(current)


@SYNC_AND_ASYNC
def test_spans_have_no_content_or_secrets_by_default(client_class, client_of, spans, api, monkeypatch):
    """Neither does the message of an error that quotes them."""
    monkeypatch.setenv("LLM_MAX_RETRIES", "0")
    client = client_of(client_class)
    api.statuses = [b'{"choices": [{"message": "WHISPER"}]}']
    with pytest.raises(ProviderError, match="not part of its format"):
        run(client, lambda llm: llm.chat("whisper", system="murmur"))
    run(client_of(client_class), lambda llm: llm.chat("whisper", system="murmur"))
    exported = "".join(one.to_json() for one in spans.all).lower()

    assert [] == [word for word in ("whisper", "murmur", "sk-secret") if word in exported]


@SYNC_AND_ASYNC
def test_capture_content_adds_messages_to_spans(client_class, client_of, spans, api, monkeypatch):
    """Messages and tools have the form of the semantic conventions."""
    monkeypatch.setenv("LLM_MAX_RETRIES", "0")
    tool = {"name": "weigh", "description": "Weigh", "parameters": {"type": "object"}}
    client = client_of(client_class, capture_content=True)
    run(client, lambda llm: llm.chat("weigh feathers", system="Be brief", tools=[tool]))
    api.statuses = [529]
    with pytest.raises(ProviderError):
        run(client, lambda llm: llm.chat("again"))
    call, failed = spans.named("chat")
    kept = {name: json.loads(call.attributes[f"gen_ai.{name}"]) for name in KEPT}

    assert kept == KEPT
    assert failed.status.description.startswith("openai answered 529 for 'gpt-5-mini': overloaded")


KEPT = {
    "system_instructions": [{"type": "text", "content": "Be brief"}],
    "input.messages": [{"role": "user", "parts": [{"type": "text", "content": "weigh feathers"}]}],
    "tool.definitions": [
        {"type": "function", "name": "weigh", "description": "Weigh", "parameters": {"type": "object"}}
    ],
    "output.messages": [
        {
            "role": "assistant",
            "parts": [
                {"type": "text", "content": "I will."},
                {"type": "tool_call", "id": "call_0", "name": "weigh", "arguments": {"what": "feathers"}},
            ],
            "finish_reason": "tool_call",
        }
    ],
}


class Instrumented(Slow):
    """Custom provider whose SDK makes spans itself, as OpenTelemetry's instrumentations do."""

    async def complete(self, messages, response_model=None):
        invocation = TelemetryHandler(tracer_provider=self.spans.provider).inference("sdk", request_model="m")
        invocation.stop()
        return await super().complete(messages, response_model)


@SYNC_AND_ASYNC
def test_instrumented_sdk_makes_no_second_span(client_class, client_of, spans):
    """Called without this client, the same SDK makes one."""
    asyncio.run(Instrumented(spans).complete([type("Message", (), {"text": "alone"})]))
    run(client_of(client_class, provider_instance=Instrumented(spans)), lambda llm: llm.chat("hello"))

    assert ["chat m", "inner alone", "inner hello", "attempt", "chat"] == [
        one.name.removesuffix(" gpt-5-mini") for one in spans.all
    ]


@SYNC_AND_ASYNC
def test_calls_work_without_a_configured_sdk(client_class, api):
    """With OpenTelemetry's API alone, no spans or metrics are made."""
    client = client_class(
        observers=[Tracing(), Metrics()], api_key="k", base_url=f"{api.url}/v1", model="openai:gpt-5-mini"
    )

    assert "HELLO" == run(client, lambda llm: llm.chat("hello")).content
    assert not isinstance(trace.get_tracer_provider(), TracerProvider)
    assert "sdk" not in type(get_meter_provider()).__module__
