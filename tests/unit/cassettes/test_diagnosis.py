"""A miss names the nearest recording and where it differs."""

import json

from llm_gateway.cassettes.diagnosis import Recorded, differences, nearest_text
from llm_gateway.types import WireRequest

URL = "https://api.anthropic.com/v1/messages"


def chat_request(text, url=URL, **more):
    body = {"model": "claude-haiku-5-5", "messages": [{"role": "user", "content": text}], **more}
    return WireRequest("POST", url, (), json.dumps(body).encode())


def test_the_nearest_recording_and_its_difference_are_named():
    """Of two candidates the one with fewer differences is shown, with the path and both values."""
    recorded = [
        Recorded(1, chat_request("Bye", temperature=1, model="other"), is_used=False),
        Recorded(2, chat_request("Hello"), is_used=False),
    ]

    assert (
        nearest_text(chat_request("Helo"), recorded) == "nearest: #2, differs in messages[0].content: 'Helo' != 'Hello'"
    )


def test_fields_that_only_one_side_has_are_shown():
    """The other side is shown as absent."""
    shown = [str(change) for change in differences(chat_request("a", temperature=0), chat_request("a", top_p=1))]

    assert sorted(shown) == ["temperature: 0 != absent", "top_p: absent != 1"]


def test_long_texts_are_truncated_around_their_first_difference():
    """A long prompt shows the part that changed, not its beginning."""
    shown = str(
        next(differences(chat_request("x" * 500 + "OLD" + "y" * 90), chat_request("x" * 500 + "NEW" + "y" * 90)))
    )

    assert "OLD" in shown
    assert "NEW" in shown
    assert len(shown) < 200


def test_a_recording_that_is_used_up_is_reported_as_such():
    """The same request, sent more often than it was recorded, shows no difference."""
    assert (
        nearest_text(chat_request("a"), [Recorded(1, chat_request("a"), is_used=True)])
        == "the same request was recorded once (#1) and each recording was used already"
    )


def test_another_host_is_shown_as_a_difference():
    """With both hosts."""
    shown = nearest_text(
        chat_request("a", url="https://proxy.local/v1/messages"), [Recorded(1, chat_request("a"), is_used=False)]
    )

    assert "host: https://proxy.local:443 != https://api.anthropic.com:443" in shown
