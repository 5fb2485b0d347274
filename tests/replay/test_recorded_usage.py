"""The usage that is read from every recorded exchange agrees with the expected one."""

import pytest

from llm_gateway.cassettes.meter import metered
from llm_gateway.cassettes.tape import Tape

EXPLAINED = {}
"""File and index of a row whose expectation is shown to be wrong, with the reason."""


def rows(traffic):
    for row in traffic.manifest:
        tape = Tape(traffic.data / row["file"])
        positions = [index for index, _ in traffic.load(row["file"])]
        for expected in row["expected"]:
            if expected["llm"]:
                yield row["file"], expected, metered(tape.exchange(positions.index(expected["index"])))


def agrees(expected, usage):
    if expected is None:
        return usage is None
    pairs = [
        (expected["input"], usage and usage.input_tokens),
        (expected["output"], usage and usage.output_tokens),
        (expected["cached"], usage and usage.cache_read_tokens),
        (expected["cache_write"], usage and usage.cache_write_tokens),
        (expected["reasoning"], usage and usage.reasoning_tokens),
    ]
    return all(left == right for left, right in pairs)


def test_usage_agrees_in_every_recorded_exchange(traffic, record_property):
    """Every API in the traffic, streamed or not, whatever framing it has."""
    found = list(rows(traffic))
    wrong = [
        (file, expected["index"], expected["api"], expected["usage"], metering.usage)
        for file, expected, metering in found
        if not agrees(expected["usage"], metering.usage) and (file, expected["index"]) not in EXPLAINED
    ]
    record_property("counted usage read", f"{len(found) - len(wrong)} of {len(found)}")

    assert wrong == []
    assert found


NOT_NAMED = {"replicate.prediction", "sagemaker.invoke"}
"""APIs whose address or body holds a version, or a name of the caller's own, in place of a model."""


@pytest.mark.parametrize("field", ["model_requested", "model_served"])
def test_models_agree_in_every_recorded_exchange(field, traffic):
    """The model that was asked and the one that answered."""
    wrong = [
        (file, expected["index"], expected["api"], expected[field], getattr(metering, field))
        for file, expected, metering in rows(traffic)
        if expected[field] != getattr(metering, field) and expected["api"] not in NOT_NAMED
    ]

    assert wrong == []
