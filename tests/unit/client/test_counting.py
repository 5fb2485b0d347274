"""Exact counts, where a vocabulary is on this machine."""

import hashlib
import sys
from pathlib import Path

import pytest

from llm_gateway import SyncLLMClient, Tool
from llm_gateway.client import counting
from llm_gateway.config.folder import vocabulary_folder
from llm_gateway.types import ChatRequest, ImagePart, LLMMessage, TextPart
from llm_gateway.wire.tokens import Estimate, framed_tokens


def words(text):
    return len(text.split())


def request(model="gpt-4o", *parts, **facts):
    system = LLMMessage("system", (TextPart("Be brief."),))
    return ChatRequest(model, (system, LLMMessage("user", (TextPart("How are you?"), *parts))), **facts)


@pytest.mark.parametrize(
    ("requested", "tokens"),
    [
        (request(), 3 + (4 + 2) + (4 + 3)),
        (request("o3-mini"), 15),
        (request("gpt-5-mini"), 15),
        (request("gpt-5-chat-latest"), 16),
        (request("gpt-4o", ImagePart(url="https://example.com/a.png")), None),
        (request(tools=(Tool("weigh", "", {}),)), None),
        (request(response_schema={"type": "object"}), None),
        (request(extra={"previous_response_id": "resp_1"}), None),
    ],
)
def test_the_frame_of_a_request(requested, tokens):
    """Models that reason have one token less; what is not published is not counted."""
    assert tokens == framed_tokens(requested, words)


def test_without_tiktoken_or_a_known_model_there_is_none(monkeypatch, tmp_path):
    """Nor where the file is missing or has other contents; it is left unchanged."""
    assert counting.sizer_of("gpt-4o", None) is None
    assert counting.sizer_of("my-model", tmp_path) is None
    assert counting.sizer_of("gpt-4o", tmp_path) is None
    file = tmp_path / hashlib.sha1(counting._URL.format("o200k_base").encode()).hexdigest()
    file.write_bytes(b"another")
    assert counting.sizer_of("gpt-4o-mini", tmp_path) is None
    assert b"another" == file.read_bytes()
    monkeypatch.setitem(sys.modules, "tiktoken", None)
    assert counting.sizer_of("gpt-5", tmp_path) is None


def test_a_count_is_an_estimate_then(monkeypatch, tmp_path):
    """It is marked as one, and no vocabulary is downloaded."""
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    with SyncLLMClient(model="openai:gpt-4.1", api_key="k", base_url="https://llm.example.com/v1") as client:
        assert Estimate(23, "estimated") == client.count_tokens("How are you?")


@pytest.mark.parametrize(
    ("environ", "folder"),
    [
        ({"TIKTOKEN_CACHE_DIR": "a", "DATA_GYM_CACHE_DIR": "b"}, "a"),
        ({"DATA_GYM_CACHE_DIR": "b"}, "b"),
    ],
)
def test_vocabularies_are_where_tiktoken_keeps_them(environ, folder):
    """By its own variables."""
    assert Path(folder) == vocabulary_folder(environ)
    assert "data-gym-cache" == vocabulary_folder({}).name
    assert vocabulary_folder({"TIKTOKEN_CACHE_DIR": "", "DATA_GYM_CACHE_DIR": "b"}) is None
