"""Usage, models, prices and service tiers of every recorded exchange agree with the manifest."""

from collections import defaultdict
from decimal import Decimal

import pytest

from llm_gateway.cassettes.playback import Playback
from llm_gateway.cost.account import known_facts, priced, time_of
from llm_gateway.wire.bounds import upper_bound

EXPLAINED = {}
"""File and index of a row whose expectation is shown to be wrong, with the reason."""


def rows(traffic):
    for row in traffic.manifest:
        playback = Playback(traffic.data / row["file"])
        positions = [index for index, _ in traffic.load(row["file"])]
        for expected in row["expected"]:
            if expected["llm"]:
                yield row["file"], expected, playback.exchange(positions.index(expected["index"]))


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


def by_provider_and_api(found):
    counts = defaultdict(lambda: [0, 0])
    for _, expected, facts in found:
        count = counts[f"{expected['provider']:<26} {expected['api']}"]
        count[0] += agrees(expected["usage"], facts.usage)
        count[1] += 1
    return "\n".join(f"{name:<54} {equal:>3} of {all_:>3} equal" for name, (equal, all_) in sorted(counts.items()))


def test_usage_agrees_in_every_recorded_exchange(traffic, record_property):
    """For every API, streamed or not, token counts equal the expected ones."""
    found = [(file, expected, known_facts(exchange)) for file, expected, exchange in rows(traffic)]
    wrong = [
        (file, expected["index"], expected["api"], expected["usage"], facts.usage)
        for file, expected, facts in found
        if not agrees(expected["usage"], facts.usage) and (file, expected["index"]) not in EXPLAINED
    ]
    record_property("counted usage read", f"{len(found) - len(wrong)} of {len(found)}")
    record_property("table usage", by_provider_and_api(found))

    assert wrong == []
    assert found


NOT_NAMED = {"replicate.prediction", "sagemaker.invoke"}
"""APIs whose address or body holds a version, or a name of the caller's own, in place of a model."""


@pytest.mark.parametrize("field", ["model_requested", "model_served"])
def test_models_agree_in_every_recorded_exchange(field, traffic):
    """The requested and the served model equal the expected ones."""
    wrong = [
        (file, expected["index"], expected["api"], expected[field], getattr(known_facts(exchange), field))
        for file, expected, exchange in rows(traffic)
        if expected[field] != getattr(known_facts(exchange), field) and expected["api"] not in NOT_NAMED
    ]

    assert wrong == []


NO_PRICE = {
    "test_generate_content_with_file_uri_image[True].yaml": "the reply has no count of input tokens",
    "test_gateway_provider_with_groq.yaml": "a gateway of its own, which sells at prices of its own",
    "test_gateway_provider_with_anthropic.yaml": "the same",
    "test_bedrock_model_service_tier.yaml": "served in the tier flex, whose price is not listed",
}
OF_ITS_DAY = {
    "completions_with_tool_call_response_emits_expected_spans[True].yaml": "mistral-small cost less",
    "deepseek_completion.yaml": "recorded when deepseek-chat cost half, or at the cheap hours of the day",
    "deepseek_streamed_reasoning_content.yaml": "the same",
    "test_deepseek_deferred_capability_with_thinking.yaml": "the same",
    "test_deepseek_responses[function_tool_stream].yaml": "the same",
    "test_deepseek_responses[structured_output].yaml": "the same",
    "responses_prompt_caching_5_6_cache_write.yaml": "recorded before the price went down in August 2026",
    "test_web_search_agent_run_in_workflow.yaml": "two searches at $10 a thousand are part of it",
    "direct-uploaded_file-audio-google_2_5].yaml": "audio is more expensive than text",
}
"""Where the reference, today's list price of text tokens, is not what the call cost."""


def test_costs_agree_with_the_host_or_the_price_list(traffic, record_property):
    """Costs are equal to the last digit, or the difference has a reason."""
    found = [
        (file, expected, priced(known_facts(exchange), at=time_of(exchange)))
        for file, expected, exchange in rows(traffic)
    ]
    references = [(file, reference(expected), facts) for file, expected, facts in found if reference(expected)]
    equal = [file for file, cost, facts in references if is_near(cost, facts.cost_usd)]
    others = {file.rpartition("/")[2] for file, cost, facts in references if not is_near(cost, facts.cost_usd)}
    record_property(
        "counted cost agreed", f"{len(equal)} of {len(references)}, {len(references) - len(equal)} explained"
    )

    assert set() == {name for name in others if not any(name.endswith(known) for known in [*NO_PRICE, *OF_ITS_DAY])}
    assert len(equal) > 140


def reference(expected):
    stated = (expected["usage"] or {}).get("cost")
    return stated or expected.get("price_ref_usd")


def is_near(reference_usd, cost_usd):
    return cost_usd is not None and abs(cost_usd - Decimal(str(reference_usd))) < Decimal("1e-9")


def test_tiers_agree_in_every_recorded_exchange(traffic):
    """The tier that served a call equals the expected one, since it sets the price."""
    wrong = [
        (file, expected["api"], expected["service_tier"], known_facts(exchange).usage.service_tier)
        for file, expected, exchange in rows(traffic)
        if expected["service_tier"] and known_facts(exchange).usage
        if expected["service_tier"] != known_facts(exchange).usage.service_tier
    ]

    assert {"gemini.interactions", "gemini.generate"} >= {api for _, api, _, _ in wrong}
    assert 2 >= len(wrong)  # one has it outside of its usage, one has "1"


SHORTENED = "test_invoke_model_cache_tokens.yaml"
"""A recording whose prompt was shortened by hand, and its usage was not."""


def test_no_recorded_call_used_more_than_its_bound(traffic, record_property):
    """The upper bound computed from the request alone is not exceeded."""
    passed, count = [], 0
    for file, expected, exchange in rows(traffic):
        request, used = exchange.request, known_facts(exchange).usage
        most = upper_bound(request.method, request.url, request.body)
        if most is None or used is None or file.endswith(SHORTENED):
            continue
        count += 1
        if is_above(used.input_tokens, most.usage.input_tokens) or is_above(
            used.output_tokens, most.usage.output_tokens
        ):
            passed.append((file, expected["index"], most.usage, used))
    record_property("counted bound held", f"{count - len(passed)} of {count}")

    assert passed == []


def is_above(used, most):
    return (used or 0) > (most or 0)
