"""Metrics of real calls, measured with OpenTelemetry's own SDK."""

import asyncio

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from llm_gateway import LLMClient, SyncLLMClient
from llm_gateway.exceptions import ProviderError
from llm_gateway.observability.metrics import Metrics


def calls(client, api):
    """Make a chat, a stream, a chat of unknown price, and one that is rejected."""
    with client:
        client.chat("hello")
        list(client.stream("hello"))
        client.chat("hello", model="of-unknown-price")
        api.statuses = [404]
        with pytest.raises(ProviderError):
            client.chat("hello")


async def async_calls(client, api):
    """Make the same calls with an async client."""
    async with client:
        await client.chat("hello")
        _ = [one async for one in client.stream("hello")]
        await client.chat("hello", model="of-unknown-price")
        api.statuses = [404]
        with pytest.raises(ProviderError):
            await client.chat("hello")


@pytest.mark.parametrize("client_class", [SyncLLMClient, LLMClient])
def test_metrics_follow_the_semantic_conventions(client_class, api):
    """Tokens are counted by type and errors by kind; an unknown cost is counted apart and not summed."""
    reader = InMemoryMetricReader()
    settings = {"api_key": "k", "base_url": f"{api.url}/v1", "model": "openai:gpt-5-mini"}
    client = client_class(observers=[Metrics(MeterProvider([reader]))], **settings)
    asyncio.run(async_calls(client, api)) if client_class is LLMClient else calls(client, api)
    (scope,) = reader.get_metrics_data().resource_metrics[0].scope_metrics
    points = {one.name: one.data.data_points for one in scope.metrics}
    tokens = {(one.attributes["gen_ai.token.type"], one.count, one.sum) for one in points["gen_ai.client.token.usage"]}
    common = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-5-mini",
        "server.address": "127.0.0.1",
        "server.port": api.server_port,
    }

    assert {("input", 2, 22), ("output", 2, 14), ("input", 1, 11), ("output", 1, 7)} == tokens
    assert [2, 1, 1] == [one.count for one in points["gen_ai.client.operation.duration"]]
    assert [1] == [one.count for one in points["gen_ai.client.operation.time_to_first_chunk"]]
    assert [0.00001675 * 2, 0] == [pytest.approx(one.value) for one in points["llm_gateway.client.cost"]]
    assert [1] == [one.value for one in points["llm_gateway.client.unpriced_calls"]]
    assert common | {"error.type": "not_found"} == dict(points["gen_ai.client.operation.duration"][2].attributes)
    assert common | {"gen_ai.response.model": "gpt-5-mini"} == dict(points["llm_gateway.client.cost"][0].attributes)
