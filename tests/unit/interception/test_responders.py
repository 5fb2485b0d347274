"""Each responder of a cassette on its own: which requests it answers, and which it leaves to the next."""

import os

import pytest

from llm_gateway.cassettes.document import dump
from llm_gateway.cassettes.faults import Faults
from llm_gateway.cassettes.format import http_to_mapping
from llm_gateway.cassettes.modes import Mode
from llm_gateway.cassettes.outcome import Outcome
from llm_gateway.cassettes.playback import Playback
from llm_gateway.cassettes.recorder import Recorder
from llm_gateway.cassettes.recording import Recording
from llm_gateway.exceptions import CassetteMissError, CassetteReadError, CostLimitExceededError, FakeMissError
from llm_gateway.exchange import HttpExchange
from llm_gateway.interception.credential import CredentialResponder
from llm_gateway.interception.forks import ForkResponder
from llm_gateway.interception.responders import (
    LET_THROUGH,
    Answer,
    FaultResponder,
    LiveResponder,
    MissResponder,
    RecordedResponder,
    ScriptResponder,
    first_answer,
)
from llm_gateway.types import WireReply, WireRequest

REQUEST = WireRequest("POST", "https://api.openai.com/v1/chat/completions", (), b'{"model": "m"}')
OTHER = WireRequest("POST", "https://api.openai.com/v1/chat/completions", (), b'{"model": "n"}')
TOKEN = WireRequest(
    "POST",
    "https://oauth2.googleapis.com/token",
    (("content-type", "application/x-www-form-urlencoded"),),
    b"grant_type=x&assertion=a.b.c",
)
REPLY = WireReply(200, (("content-type", "application/json"),), b'{"id": "1"}')
COMMAND = "pytest --llm-record test_app.py::test_one"


def answers(*exchanges):
    """Return a responder that answers with *exchanges*, one a call, as if they were recorded."""

    class Given:
        def __init__(self):
            self.left = list(exchanges)

        def respond(self, request):
            return Answer(self.left.pop(0), "replay") if self.left else None

    return Given()


def same(value):
    return value


@pytest.fixture
def outcome():
    return Outcome(lambda text: text.replace("sk-secret", "[KEY]"))


@pytest.fixture
def playback(tmp_path):
    """Return the playback of a cassette that holds REQUEST once."""
    path = tmp_path / "a.yaml"
    path.write_text(dump({"version": 1, "interactions": [http_to_mapping(HttpExchange(REQUEST, REPLY))]}))
    return Playback(path)


def test_the_first_responder_with_an_answer_wins():
    """Later ones are not called; the answer is None if none of them has one."""
    first, second = answers(), answers(HttpExchange(REQUEST, REPLY))

    assert Answer(HttpExchange(REQUEST, REPLY), "replay") == first_answer([first, second], REQUEST)
    assert first_answer([first, second], REQUEST) is None


def test_each_recorded_exchange_is_replayed_once(playback, outcome):
    """An unrecorded request, or one that is used up, is left to the next responder."""
    responder = RecordedResponder(playback, same, outcome)

    assert responder.respond(OTHER) is None
    assert (REPLY, "replay") == (responder.respond(REQUEST).exchange.reply, "replay")
    assert responder.respond(REQUEST) is None
    assert [] == outcome.failures()


def test_a_request_with_a_secret_matches_its_redacted_recording(playback, outcome):
    """The secret was redacted when the request was recorded."""
    secret = WireRequest(REQUEST.method, REQUEST.url, (), b'{"model": "sk-secret"}')
    responder = RecordedResponder(playback, lambda _: REQUEST, outcome)

    assert REPLY == responder.respond(secret).exchange.reply


def test_a_malformed_recorded_reply_fails_the_test_even_if_the_error_is_caught(tmp_path, outcome):
    """The code under test may swallow it."""
    entry = http_to_mapping(HttpExchange(REQUEST, REPLY))
    entry["response"]["status"] = {}
    path = tmp_path / "a.yaml"
    path.write_text(dump({"version": 1, "interactions": [entry]}))

    with pytest.raises(CassetteReadError):
        RecordedResponder(Playback(path), same, outcome).respond(REQUEST)

    [failure] = outcome.failures()
    assert "interactions[0] is not an exchange" in failure.report


def test_a_miss_is_answered_with_its_diagnosis(playback, outcome):
    """The test fails with the same text; the request in it is redacted."""
    answer = MissResponder(playback, lambda _: OTHER, outcome, COMMAND).respond(REQUEST)

    [failure] = outcome.failures()
    assert (470, "miss") == (answer.exchange.reply.status, answer.source)
    assert isinstance(failure, CassetteMissError)
    assert "nearest: #1, differs in model: 'n' != 'm'" in failure.report
    assert f"to record it: {COMMAND}" in failure.report
    assert "differs in model: 'n' != 'm'" in answer.exchange.reply.body.decode()


def test_without_a_pending_fault_answers_are_unchanged(outcome):
    """If no source has an answer, the next responder is called."""
    found = HttpExchange(REQUEST, REPLY)
    responder = FaultResponder(Faults(Mode.REPLAY), [answers(found)], outcome, pytest.fail, None)

    assert found is responder.respond(REQUEST).exchange
    assert responder.respond(REQUEST) is None


def test_a_pending_fault_answers_before_the_recordings(outcome):
    """The recorded exchange is left for the next call."""
    faults, found = Faults(Mode.REPLAY), HttpExchange(REQUEST, REPLY)
    responder = FaultResponder(faults, [answers(found)], outcome, pytest.fail, None)
    faults.fault(529)

    injected = responder.respond(REQUEST)
    assert (529, "fault") == (injected.exchange.reply.status, injected.source)
    assert Answer(found, "replay") == responder.respond(REQUEST)


def test_an_exchange_whose_reply_a_fault_interrupts_can_be_replayed_again(outcome):
    """A retry gets the whole reply."""
    faults, given_back = Faults(Mode.REPLAY), []
    responder = FaultResponder(faults, [answers(HttpExchange(REQUEST, REPLY))], outcome, given_back.append, None)
    faults.cut(after_chunks=0)

    answer = responder.respond(REQUEST)
    assert ("protocol", b"", "fault") == (answer.exchange.failure, answer.exchange.reply.body, answer.source)
    assert [REQUEST] == given_back


def test_a_fault_beyond_the_end_of_the_reply_fails_the_test(outcome):
    """The call is answered with the error, and does not count as a model call."""
    faults = Faults(Mode.REPLAY)
    responder = FaultResponder(faults, [answers(HttpExchange(REQUEST, REPLY))], outcome, pytest.fail, None)
    faults.cut(after_chunks=7)

    answer = responder.respond(REQUEST)
    assert (470, None) == (answer.exchange.reply.status, answer.source)
    assert ["cut(after_chunks=7) lies behind the end of the reply to POST api.openai.com/v1/chat/completions"] == [
        failure.message for failure in outcome.failures()
    ]


class Scripted:
    """Script that answers REQUEST once."""

    def __init__(self):
        self.left = 1

    def wants(self, request):
        return request == REQUEST

    def answer(self, request):
        if not self.left:
            raise FakeMissError("fake_llm has no answer for sk-secret", cause="none is left", fix="script one")
        self.left -= 1
        return HttpExchange(request, REPLY)


def test_a_script_answers_only_the_requests_it_matches(tmp_path, outcome):
    """Others go to the next responder; running out of answers fails the test, without secrets."""
    responder = ScriptResponder(Scripted(), tmp_path / "a.yaml", lambda _: False, outcome)

    assert responder.respond(OTHER) is None
    assert Answer(HttpExchange(REQUEST, REPLY), "fake") == responder.respond(REQUEST)
    assert [] == outcome.failures()

    missed = responder.respond(REQUEST)
    assert ("miss", 470) == (missed.source, missed.exchange.reply.status)
    assert ["fake_llm has no answer for [KEY]"] == [failure.message for failure in outcome.failures()]
    assert "sk-secret" not in missed.exchange.reply.body.decode()


def test_a_script_for_a_recorded_url_is_an_error(tmp_path, outcome):
    """Whichever answered, the other would be reported as unused."""
    responder = ScriptResponder(Scripted(), tmp_path / "a.yaml", lambda _: True, outcome)

    assert "miss" == responder.respond(REQUEST).source
    [failure] = outcome.failures()
    assert "would answer POST api.openai.com/v1/chat/completions" in failure.message


def test_token_requests_are_sent_when_calls_are_made(outcome):
    """Other requests are left to the next responder."""
    checked = []
    responder = CredentialResponder(None, checked.append)

    assert responder.respond(REQUEST) is None
    assert LET_THROUGH == responder.respond(TOKEN)
    assert [TOKEN] == checked


def test_token_requests_are_replayed_or_answered_with_a_placeholder():
    """Cassettes of other tools may hold them."""
    recorded = HttpExchange(TOKEN, REPLY)
    responder = CredentialResponder(answers(recorded), pytest.fail)

    assert Answer(recorded, "replay") == responder.respond(TOKEN)
    placeholder = responder.respond(TOKEN)
    assert placeholder.source is None
    assert b"llm-gateway-replay-placeholder" in placeholder.exchange.reply.body


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks processes")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_calls_in_a_forked_process_fail_the_test(outcome):
    """A forked process shares no memory with the test, so it is reported through a file."""
    responder = ForkResponder(outcome)
    assert responder.respond(REQUEST) is None
    child = os.fork()
    if child == 0:
        answer = responder.respond(REQUEST)
        os._exit(0 if answer.exchange.reply.status == 470 else 1)

    assert (child, 0) == os.waitpid(child, 0)
    responder.collect(is_over=True)
    [failure] = outcome.failures()
    assert failure.message.startswith("POST api.openai.com/v1/chat/completions was called in a forked process")
    responder.collect(is_over=True)
    assert [failure] == outcome.failures()


class Guard:
    """Call guard that allows one call, and keeps how it ended."""

    def __init__(self):
        self.left, self.ended = 1, []

    def allow(self, request):
        if not self.left:
            raise CostLimitExceededError("nothing is left", cause="it is spent", fix="raise it")
        self.left -= 1
        return self.ended.append


def test_a_live_call_is_recorded_if_the_call_guards_allow_it(tmp_path, outcome):
    """They are notified of its end; a call that they reject gets their error, which fails the test."""
    guard, made, checked = Guard(), [], []
    recorder = Recorder(tmp_path / "a.yaml", {}, is_writing=True)
    responder = LiveResponder(recorder, [guard], outcome, made.append, checked.append)

    recording = responder.respond(REQUEST)
    assert isinstance(recording, Recording)
    recording.head(200, "OK", REPLY.headers)
    recording.chunk(REPLY.body)
    recording.finish()
    assert [REPLY] == [exchange.reply for exchange in made]
    assert made == guard.ended
    assert [REQUEST] == checked
    assert recorder.save()

    refused = responder.respond(REQUEST)
    assert ("refused", 470) == (refused.source, refused.exchange.reply.status)
    assert ["nothing is left"] == [failure.message for failure in outcome.failures()]
