"""A miss names the nearest recording and where it differs."""

import json

from llm_gateway.cassettes.diagnosis import Recorded, differences, nearest_text
from llm_gateway.types import WireRequest

URL = "https://api.anthropic.com/v1/messages"


def ask(text, url=URL, **more):
    body = {"model": "claude-haiku-5-5", "messages": [{"role": "user", "content": text}], **more}
    return WireRequest("POST", url, (), json.dumps(body).encode())


def test_the_nearest_recording_and_its_difference_are_named():
    """Of two candidates the one with fewer differences is shown, with the path and both values."""
    recorded = [
        Recorded(1, ask("Bye", temperature=1, model="other"), is_used=False),
        Recorded(2, ask("Hello"), is_used=False),
    ]

    assert nearest_text(ask("Helo"), recorded) == "nearest: #2, differs in messages[0].content: 'Helo' != 'Hello'"


def test_members_that_only_one_side_has_are_named():
    """An absent member is a difference of its own."""
    shown = [str(change) for change in differences(ask("a", temperature=0), ask("a", top_p=1))]

    assert sorted(shown) == ["temperature: 0 != absent", "top_p: absent != 1"]


def test_long_texts_are_cut_to_where_they_begin_to_differ():
    """A long prompt shows the part that changed, not its beginning."""
    shown = str(next(differences(ask("x" * 500 + "OLD" + "y" * 90), ask("x" * 500 + "NEW" + "y" * 90))))

    assert "OLD" in shown
    assert "NEW" in shown
    assert len(shown) < 200


def test_a_recording_used_up_says_so():
    """The same request asked once more than it was recorded is not called a difference."""
    assert (
        nearest_text(ask("a"), [Recorded(1, ask("a"), is_used=True)])
        == "the same request was recorded once (#1) and each recording was used already"
    )


def test_another_host_is_a_difference_of_place():
    """A request to another host names both."""
    shown = nearest_text(ask("a", url="https://proxy.local/v1/messages"), [Recorded(1, ask("a"), is_used=False)])

    assert "host: https://proxy.local:443 != https://api.anthropic.com:443" in shown
