"""Forked processes, invalid cassettes, requests that differ little, and code that does not use the package."""

import gzip
import multiprocessing
import os
import threading
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar

import httpx
import pytest
import requests

from llm_gateway.cassettes.modes import Mode
from llm_gateway.exceptions import CassetteMissError, CassetteReadError, CassetteSecretError
from llm_gateway.interception.use_cassette import use_cassette


def url_of(server):
    return f"{server.url}/v1/chat/completions"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("mode", [Mode.RECORD, Mode.REPLAY])
def test_call_in_a_forked_process_fails_the_test(mode, server, tmp_path):
    """It is blocked and reported, since it can be neither recorded nor replayed."""
    url = url_of(server)
    with use_cassette(tmp_path / "a.yaml", Mode.RECORD):
        httpx.post(url, json={"a": 1})
    expected = pytest.raises(CassetteMissError, match="was called in a forked process")
    with expected, use_cassette(tmp_path / "a.yaml", mode):
        httpx.post(url, json={"a": 1})
        with multiprocessing.get_context("fork").Pool(1) as pool:
            assert [470] == pool.map(_status, [url])


def _status(url):
    return httpx.post(url, json={"a": 2}).status_code


def test_invalid_recording_fails_a_test_that_swallows_the_error(server, tmp_path):
    """The block raises at its end, as it does for a miss."""
    url, file = url_of(server), tmp_path / "a.yaml"
    with use_cassette(file, Mode.RECORD):
        httpx.post(url, json={"a": 1})
    file.write_text(file.read_text().replace("body_form: spaced", "body_form: nonsense"))
    expected = pytest.raises(CassetteMissError, match="is not an exchange")
    with expected, use_cassette(file), pytest.raises(CassetteReadError):
        httpx.post(url, json={"a": 1})


@pytest.mark.parametrize("fields", [{"code": "print(1)"}, {"text": "a  b"}])
def test_forms_match_by_every_field(fields, server, tmp_path):
    """Spaces count, and so do fields with the name of a secret."""
    url = url_of(server)
    with use_cassette(tmp_path / "a.yaml", Mode.LIVE):
        pass
    server.failures.append(200)
    with use_cassette(tmp_path / "a.yaml", Mode.RECORD):
        requests.post(url, data={"stream": "1", **fields})
    other = {name: f"{value}!" for name, value in fields.items()}
    with pytest.raises(CassetteMissError), use_cassette(tmp_path / "a.yaml"):
        assert 200 == requests.post(url, data={"stream": "1", **fields}).status_code
        requests.post(url, data={"stream": "1", **other})


def test_json_sent_as_a_form_replays(server, tmp_path):
    """Urllib sends that content type where the caller sets none."""

    def post():
        with urllib.request.urlopen(url_of(server), data=b'{"prompt": "what is 1+1"}') as reply:
            return reply.read()

    with use_cassette(tmp_path / "a.yaml", Mode.RECORD):
        live = post()
    with use_cassette(tmp_path / "a.yaml"):
        assert live == post()


def test_lone_surrogate_is_recorded(server, tmp_path):
    """JSON can hold one as an escape, a YAML file cannot."""
    body = b'{"a": "\\ud83d"}'
    with use_cassette(tmp_path / "a.yaml", Mode.RECORD):
        live = httpx.post(url_of(server), content=body).content
    with use_cassette(tmp_path / "a.yaml"):
        assert live == httpx.post(url_of(server), content=body).content


def test_secrets_that_exist_only_during_the_test_are_not_saved(server, tmp_path, monkeypatch):
    """A variable set inside the block and the key of a request are redacted."""
    with use_cassette(tmp_path / "a.yaml", Mode.RECORD), monkeypatch.context() as patch:
        patch.setenv("TENANT_SECRET", "Zq8vT2mKx4Lw9RpN")
        headers = {"x-api-key": "Hh7-sent-with-the-request-42"}
        httpx.post(url_of(server), json={"a": "Zq8vT2mKx4Lw9RpN", "b": "Hh7-sent-with-the-request-42"}, headers=headers)
    text = (tmp_path / "a.yaml").read_text()
    assert "Zq8vT2mKx4Lw9RpN" not in text
    assert "Hh7-sent" not in text


def test_miss_message_shows_no_secret(server, tmp_path, monkeypatch):
    """Messages end up in logs."""
    monkeypatch.setenv("TENANT_SECRET", "Zq8vT2mKx4Lw9RpN")
    with use_cassette(tmp_path / "a.yaml", Mode.RECORD):
        httpx.post(url_of(server), json={"a": "Zq8vT2mKx4Lw9RpN", "n": 1})
    with pytest.raises(CassetteMissError, match="differs in n: 2 != 1") as error, use_cassette(tmp_path / "a.yaml"):
        assert "Zq8vT2mKx4Lw9RpN" not in httpx.post(url_of(server), json={"a": "Zq8vT2mKx4Lw9RpN", "n": 2}).text
    assert "Zq8vT2mKx4Lw9RpN" not in str(error.value)


def test_truncated_cassette_is_rejected(server, tmp_path):
    """Cut after any line or emptied, it is rejected in every mode, and not replaced."""
    file = tmp_path / "a.yaml"
    with use_cassette(file, Mode.RECORD):
        httpx.post(url_of(server), json={"a": "stream"})
    lines = file.read_text().splitlines(keepends=True)
    for count in range(len(lines)):
        file.write_text("".join(lines[:count]))
        for mode in (Mode.REPLAY, Mode.RECORD, Mode.NEW):
            with pytest.raises(CassetteReadError, match="cannot read cassette"), use_cassette(file, mode):
                pass
    assert "".join(lines[:-1]) == file.read_text()


@pytest.mark.parametrize(
    "text",
    [
        "interactions: []\nprocesses: 5\n",
        "interactions:\n- request: {method: GET, uri: 'http://h:abc/'}\n  response: {}\n",
        "interactions: !!bool foo\n",
        "interactions: " + "[" * 100_000,
        "foo: bar\n",
        "",
    ],
)
def test_malformed_cassette_raises_with_the_file_name(text, tmp_path):
    """No other exception reaches the caller."""
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(CassetteReadError, match=r"cannot read cassette .*a\.yaml"), use_cassette(tmp_path / "a.yaml"):
        pass


def test_thread_pool_keeps_its_context_variables(tmp_path):
    """A variable set by the pool's initializer has its value while a cassette is open."""
    variable = ContextVar("variable")
    with use_cassette(tmp_path / "a.yaml"), ThreadPoolExecutor(1, initializer=lambda: variable.set(5)) as pool:
        assert 5 == pool.submit(variable.get).result()


def test_requests_to_other_local_servers_are_not_replayed(server, tmp_path):
    """They are sent with several cassettes open, and from a thread started before any of them."""
    seen, opened = [], threading.Event()

    def ask():
        opened.wait(60)
        seen.append(requests.post(f"{server.url}/own", json={"a": 1}).status_code)

    thread = threading.Thread(target=ask)
    thread.start()
    with use_cassette(tmp_path / "a.yaml"), use_cassette(tmp_path / "b.yaml"):
        opened.set()
        thread.join()
        with requests.Session() as session:
            connections = {session.post(f"{server.url}/own", json={"a": 1}).raw.status for _ in range(3)}
    assert [200] == seen
    assert {200} == connections


def test_secret_that_cannot_be_redacted_is_not_saved(server, tmp_path):
    """No file is written, and the error shows the masked secret and the hook to use."""
    token = "sk-ant-api03-" + "A1b2C3d4" * 10
    file, body = tmp_path / "a.yaml", gzip.compress(f'{{"key": "{token}"}}'.encode())
    with pytest.raises(CassetteSecretError) as error, use_cassette(file, Mode.RECORD):
        httpx.post(f"{server.url}/model/m/converse", content=body)
    assert "would hold 1 secrets; nothing was saved" in str(error.value)
    assert "def pytest_llm_before_save(request)" in str(error.value)
    assert token not in str(error.value)
    assert not file.exists()
