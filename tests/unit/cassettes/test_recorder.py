"""The recorder: exchanges under way, the secrets in them, and the file it writes."""

import json

import pytest

from llm_gateway.cassettes.playback import Playback
from llm_gateway.cassettes.recorder import Recorder
from llm_gateway.exchange import ProcessExchange
from llm_gateway.types import WireRequest

URL = "https://api.openai.com/v1/chat/completions"


def request(number, *headers):
    return WireRequest("POST", URL, headers, b'{"n": %d}' % number)


def end(recording, body=b"{}"):
    recording.head(200, "OK", ())
    recording.chunk(body)
    recording.finish()


def recorded(path):
    return [json.loads(one.request.body)["n"] for one in Playback(path).recorded()]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.yaml"


def test_exchanges_are_written_in_the_order_in_which_they_began(path):
    """Whichever ends first; each is reported when it ends."""
    recorder, ended = Recorder(path, {}, is_writing=True), []
    first, second = (recorder.begin(request(number), ended.append) for number in (1, 2))
    end(second)
    end(first)

    assert recorder.save()
    assert [b'{"n": 2}', b'{"n": 1}'] == [one.request.body for one in ended]
    assert [1, 2] == recorded(path)


def test_nothing_is_written_if_nothing_was_recorded(path):
    """An existing cassette is not deleted or emptied."""
    path.write_text("as it was")
    recorder = Recorder(path, {}, is_writing=True)

    assert not recorder.save()
    recorder.begin(request(1), lambda _: None)
    assert not recorder.save()
    assert "as it was" == path.read_text()


def test_live_calls_are_not_written(path):
    """They are still reported."""
    recorder, ended = Recorder(path, {}, is_writing=False), []
    end(recorder.begin(request(1), ended.append))
    recorder.add(ProcessExchange(("claude",)))

    assert 1 == len(ended)
    assert not recorder.save()
    assert not path.exists()


def test_replies_that_are_not_read_to_the_end_are_recorded_as_far_as_they_came(path):
    """Once; reading on afterwards changes nothing."""
    recorder, ended = Recorder(path, {}, is_writing=True), []
    recording = recorder.begin(request(1), ended.append)
    recording.head(200, "OK", ())
    recording.chunk(b"part")
    recorder.end_open()
    recording.finish()

    assert [("partial", b"part")] == [(one.end, one.reply.body) for one in ended]


def test_secrets_that_were_sent_are_redacted_from_then_on(path):
    """In messages and in the file, even after their environment variable is gone."""
    environ = {"OPENAI_API_KEY": "sk-abcdefghijklmnop"}
    recorder = Recorder(path, environ, is_writing=True)
    end(recorder.begin(request(1, ("authorization", "Bearer own-token-0123456789")), lambda _: None))
    environ.clear()

    shown = recorder.scrubber().text("sk-abcdefghijklmnop and own-token-0123456789")
    assert "sk-abcdefghijklmnop" not in shown
    assert "own-token-0123456789" not in shown


def test_new_exchanges_are_added_after_kept_entries(path):
    """The kept entries are unchanged."""
    first = Recorder(path, {}, is_writing=True)
    end(first.begin(request(1), lambda _: None))
    first.save()
    second = Recorder(path, {}, is_writing=True)
    end(second.begin(request(2), lambda _: None))
    second.save(kept=Playback(path).content)

    assert [1, 2] == recorded(path)
