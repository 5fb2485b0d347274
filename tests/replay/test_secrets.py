"""Requests whose recording had secrets redacted still match."""

import httpx

from llm_gateway.cassettes.modes import Mode
from llm_gateway.interception.use_cassette import use_cassette

SECRET = "kd83-hf7Q2-zzP0x-91LmB"


def test_secrets_in_body_and_query_are_redacted_and_match(server, tmp_path, monkeypatch):
    """They are recognised by their environment variable or by a pattern."""
    monkeypatch.setenv("TENANT_SECRET", SECRET)
    token = "sk-ant-api03-" + "A1b2C3d4" * 10
    url = f"{server.url}/v1/chat/completions?key={SECRET}&x-amz-security-token=abcd1234efgh"
    body = {"model": "m", "metadata": {"tenant": SECRET, "note": f"uses {token}"}}
    with use_cassette(tmp_path / "a.yaml", Mode.RECORD):
        live = httpx.post(url, json=body)
    assert 200 == live.status_code
    text = (tmp_path / "a.yaml").read_text()
    assert SECRET not in text
    assert token not in text
    assert "abcd1234efgh" not in text
    with use_cassette(tmp_path / "a.yaml"):
        assert 200 == httpx.post(url, json=body).status_code
