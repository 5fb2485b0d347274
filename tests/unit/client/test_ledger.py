"""The client's own ledger: each attempt, when it has ended."""

import logging

from llm_gateway import GatewayConfig, LLMResponse, SyncLLMClient
from llm_gateway.cost.ledger import Span, open_ledger
from llm_gateway.types import TokenUsage


class Parrot:
    """A custom provider that repeats the prompt."""

    usage = TokenUsage(3, 4)

    async def complete(self, messages, response_model=None):
        return LLMResponse(messages[-1].text, "parrot", "parrot-1", usage=self.usage)

    async def close(self):
        pass


def entries(path):
    ledger = open_ledger(path)
    try:
        return list(ledger.rows(Span.of(None, None)))
    finally:
        ledger.close()


def test_each_attempt_is_written(tmp_path):
    """With its known numbers, and the tags of the settings."""
    place = tmp_path / "ledger.db"
    config = GatewayConfig(ledger=str(place), tags={"team": "search"}, model="parrot-1")
    with SyncLLMClient(config, provider_instance=Parrot()) as client:
        client.chat("one")
        client.chat("two")

    (one, two) = entries(place)
    assert ("Parrot", "parrot-1", TokenUsage(3, 4), "ok", {"team": "search"}) == (
        one.provider,
        one.model_served,
        one.usage,
        one.status,
        dict(one.tags),
    )
    assert one.id != two.id
    assert (None, None) == (one.cost_usd, one.price)  # a custom provider has no price


def test_an_unavailable_ledger_is_logged_once_and_fails_no_call(tmp_path, monkeypatch, caplog):
    """Its entries are saved in a rescue file when the client is closed."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ledger.db").mkdir()
    made = SyncLLMClient(GatewayConfig(ledger="ledger.db"), provider_instance=Parrot())
    with caplog.at_level(logging.WARNING, "llm_gateway.ledger"), made as client:
        client.chat("one")
        client.chat("two")
    unavailable, rescued = caplog.messages
    (file,) = tmp_path.glob("llm-ledger-rescue-*.db")

    assert "entries are kept, and written when that is over" in unavailable
    assert f"2 entries are in {file.relative_to(tmp_path)} instead" in rescued
    assert 2 == len(entries(file))


def test_impossible_numbers_are_written_as_unknown(tmp_path):
    """The other numbers are kept, and the call gets its answer."""
    place = tmp_path / "ledger.db"
    odd = Parrot()
    odd.usage = TokenUsage(10**13, 4)
    with SyncLLMClient(GatewayConfig(ledger=str(place)), provider_instance=odd) as client:
        client.chat("one")

    assert [(TokenUsage(None, 4), "ok")] == [(one.usage, one.status) for one in entries(place)]
