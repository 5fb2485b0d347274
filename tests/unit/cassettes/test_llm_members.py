"""Fields under ``llm`` are read as we write them; invalid ones are errors that name file, line and field."""

from pathlib import Path

import pytest

from llm_gateway.cassettes.playback import Playback
from llm_gateway.exceptions import CassetteReadError

ENTRY = """\
interactions:
- request: {{method: GET, uri: "https://api.openai.com/v1/models"}}
  response: {{status: {{code: 200}}, body: {{string: ""}}}}
  llm:
    provider: openai
    {field}
"""
DOLLARS = "US dollars from 0 to 1,000,000 were expected"
TOKENS = "a whole number from 0 to 1,000,000,000,000 was expected"
PRICE = "a mapping of at most 200 short texts and numbers was expected"
BOMB = "price: {a: &a [1,1,1,1,1,1,1,1,1,1], b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a], c: [*b,*b,*b,*b,*b,*b,*b,*b,*b]}"


def read(field):
    """Return the record of a cassette's one exchange, with *field* under ``llm``."""
    raw = ENTRY.format(field=field).encode()
    return Playback(Path("some.yaml"), read=lambda _: raw).exchange(0).record


@pytest.mark.parametrize(
    ("field", "cause"),
    [
        ("cost_usd: .nan", f"`llm.cost_usd` is nan; {DOLLARS}"),
        ("cost_usd: sNaN", f"`llm.cost_usd` is 'sNaN'; {DOLLARS}"),
        ("cost_usd: .inf", f"`llm.cost_usd` is inf; {DOLLARS}"),
        ("cost_usd: '1e999999'", f"`llm.cost_usd` is '1e999999'; {DOLLARS}"),
        ("cost_usd: '0e999999'", f"`llm.cost_usd` is '0e999999'; {DOLLARS}"),
        ("cost_usd: '1e-999999'", f"`llm.cost_usd` is '1e-999999'; {DOLLARS}"),
        ("cost_usd: -0.01", f"`llm.cost_usd` is -0.01; {DOLLARS}"),
        ("cost_usd: free", f"`llm.cost_usd` is 'free'; {DOLLARS}"),
        ("cost_usd: true", f"`llm.cost_usd` is True; {DOLLARS}"),
        ("cost_usd: [1]", f"`llm.cost_usd` is a list; {DOLLARS}"),
        (f"cost_usd: 0x{'f' * 5000}", f"`llm.cost_usd` is a number of more than 30 digits; {DOLLARS}"),
        ("model_served: [1, 2]", "`llm.model_served` is a list; a text was expected"),
        ("model_requested: 5", "`llm.model_requested` is 5; a text was expected"),
        ("end: {a: 1}", "`llm.end` is a dict; complete, partial or error was expected"),
        ("usage: 5", "`llm.usage` is 5; a mapping was expected"),
        (
            f"usage: {{input_tokens: {'9' * 4000}}}",
            f"`llm.usage.input_tokens` is a number of more than 30 digits; {TOKENS}",
        ),
        (
            f"usage: {{input_tokens: '{'9' * 5000}'}}",
            f"`llm.usage.input_tokens` is '999999999999...9999999999999'; {TOKENS}",
        ),
        ("usage: {output_tokens: -1}", f"`llm.usage.output_tokens` is -1; {TOKENS}"),
        ("usage: {output_tokens: true}", f"`llm.usage.output_tokens` is True; {TOKENS}"),
        ("usage: {service_tier: 1}", "`llm.usage.service_tier` is 1; a text was expected"),
        ("price: cheap", f"`llm.price` is 'cheap'; {PRICE}"),
        ("price: &p {base: *p}", f"`llm.price` is a dict; {PRICE}"),
        ("price: {1: a}", f"`llm.price` is a dict; {PRICE}"),
        ("price: {input_mtok: .inf}", f"`llm.price` is a dict; {PRICE}"),
        ("price: {until: 2026-11-21}", f"`llm.price` is a dict; {PRICE}"),
        (BOMB, f"`llm.price` is a dict; {PRICE}"),
    ],
    ids=lambda value: value[:30],
)
def test_an_invalid_field_is_named(field, cause):
    """With its file, its line, what it is and what it should be."""
    with pytest.raises(CassetteReadError) as caught:
        read(field)

    assert "cannot read cassette some.yaml, line 2" == caught.value.message
    assert f"interactions[0] is not an exchange: {cause}" == caught.value.cause
    assert "restore it from version control, or delete it and record again: pytest --llm-record" == caught.value.fix


def test_an_unknown_field_of_usage_is_named_with_the_known_ones():
    """It may be a typing error, or come from a later release."""
    with pytest.raises(CassetteReadError) as caught:
        read("usage: {input_token: 1}")

    assert "`llm.usage` has 'input_token'; it can have cache_read_tokens, cache_write_1h_tokens," in caught.value.cause


def test_a_price_row_with_tiers_is_read_unchanged():
    """A rate may depend on the number of tokens."""
    row = {"source": "x", "input_mtok": {"base": "2", "tiers": [[200000, "4"]]}, "free": None, "step": 0.5}

    assert row == read(f"price: {row}".replace("None", "null")).price
