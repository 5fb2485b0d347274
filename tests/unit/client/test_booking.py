"""The client's own ledger: each attempt, when it has ended."""

import logging

from llm_gateway import GatewayConfig, LLMResponse, SyncLLMClient
from llm_gateway.cost.ledger import Span, open_ledger
from llm_gateway.types import TokenUsage


class Echo:
    """A provider of someone else's."""

    usage = TokenUsage(3, 4)

    async def complete(self, messages, response_model=None):
        return LLMResponse(messages[-1].text, "echo", "echo-1", usage=self.usage)

    async def close(self):
        pass


def entries(path):
    ledger = open_ledger(path)
    try:
        return list(ledger.rows(Span.of(None, None)))
    finally:
        ledger.close()


def test_each_attempt_is_booked(tmp_path):
    """With what is known of it, and the tags that are set."""
    place = tmp_path / "ledger.db"
    config = GatewayConfig(ledger=str(place), tags={"team": "search"}, model="echo-1")
    with SyncLLMClient(config, provider_instance=Echo()) as client:
        client.chat("one")
        client.chat("two")

    (one, two) = entries(place)
    assert ("Echo", "echo-1", TokenUsage(3, 4), "ok", {"team": "search"}) == (
        one.provider,
        one.model_served,
        one.usage,
        one.status,
        dict(one.tags),
    )
    assert one.id != two.id
    assert (None, None) == (one.cost_usd, one.price)  # nobody knows what Echo costs


def test_a_ledger_that_is_away_is_told_once_and_fails_no_call(tmp_path, monkeypatch, caplog):
    """What it missed is rescued when the client is closed."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ledger.db").mkdir()
    made = SyncLLMClient(GatewayConfig(ledger="ledger.db"), provider_instance=Echo())
    with caplog.at_level(logging.WARNING, "llm_gateway.ledger"), made as client:
        client.chat("one")
        client.chat("two")
    told, rescued = caplog.messages
    (file,) = tmp_path.glob("llm-ledger-rescue-*.db")

    assert "entries are kept, and written when that is over" in told
    assert f"2 entries are in {file.relative_to(tmp_path)} instead" in rescued
    assert 2 == len(entries(file))


def test_numbers_that_no_attempt_can_have_are_booked_as_unknown(tmp_path):
    """The others stand, and the call gets its answer."""
    place = tmp_path / "ledger.db"
    odd = Echo()
    odd.usage = TokenUsage(10**13, 4)
    with SyncLLMClient(GatewayConfig(ledger=str(place)), provider_instance=odd) as client:
        client.chat("one")

    assert [(TokenUsage(None, 4), "ok")] == [(one.usage, one.status) for one in entries(place)]
