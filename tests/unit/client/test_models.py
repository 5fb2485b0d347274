"""Kept lists of models, and facts that the user registers."""

import json
import logging
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path, PurePath

import pytest

from llm_gateway import register_model
from llm_gateway.client.models import registered
from llm_gateway.client.models.catalog import ModelCatalog
from llm_gateway.client.models.store import Store
from llm_gateway.config import load
from llm_gateway.config.folder import cache_folder
from llm_gateway.exceptions import ConfigError
from llm_gateway.wire.models import ModelInfo

MONDAY = datetime(2026, 11, 16, 12, tzinfo=UTC)
FRIDAY = datetime(2026, 11, 20, 12, tzinfo=UTC)
URL = "https://api.example.com/v1"
FULL = ModelInfo(
    "m",
    "p",
    created=MONDAY,
    context_tokens=5,
    max_output_tokens=4,
    capabilities=frozenset({"chat", "tools"}),
    lifecycle="deprecated",
    deprecated_at=MONDAY,
    retires_at=FRIDAY,
    replaced_by="n",
    owner="o",
    is_fine_tuned=True,
)


def ids(listed):
    return [one.id for one in listed.models]


def test_a_list_is_kept_whole(tmp_path):
    """For another process, with the day; other addresses have lists of their own."""
    kept = Store(tmp_path).update("p", URL, [FULL, ModelInfo("bare", "p")], MONDAY)

    assert kept == Store(tmp_path).load("p", URL)
    assert MONDAY == kept.at == kept.models[0].first_seen == kept.models[0].last_seen
    assert Store(tmp_path).load("p", "https://other.example.com/v1") is None
    assert Store(tmp_path).load("q", URL) is None
    assert ["p"] == [file.name.split("-")[0] for file in tmp_path.iterdir()]


def test_a_list_of_another_process_is_seen(tmp_path):
    """As soon as its file is there, and what was known before is kept in it."""
    mine, theirs = Store(tmp_path), Store(tmp_path)
    mine.update("p", URL, [ModelInfo("a", "p")], MONDAY)
    theirs.update("p", URL, [ModelInfo("b", "p")], FRIDAY)

    assert [("b", None), ("a", "vanished")] == [(m.id, m.lifecycle) for m in mine.load("p", URL).models]
    next(tmp_path.iterdir()).unlink()
    assert mine.load("p", URL) is None


WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from llm_gateway.client.models.store import Store
from llm_gateway.wire.models import ModelInfo

name = sys.argv[2]
models = [ModelInfo(f"{name}-{n}", "p", owner="x" * 50) for n in range(200)]
for _ in range(40):
    store = Store(Path(sys.argv[1]))
    store.update("p", "https://api.example.com/v1", models, datetime.now(UTC))
    assert len(store.load("p", "https://api.example.com/v1").models) >= 200
"""


def test_two_processes_share_a_folder(tmp_path):
    """Each reads a whole list, and no other file is left behind."""
    runs = [subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), name], stderr=-1) for name in "ab"]
    for run in runs:
        assert (0, b"") == (run.wait(30), run.stderr.read())
        run.stderr.close()

    assert 400 == len(Store(tmp_path).load("p", URL).models)
    assert 1 == len(list(tmp_path.iterdir()))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "5",
        "\xff",
        '{"version": 2}',
        '{"version": 1, "provider": "p", "listed_at": "today", "models": []}',
        '{"version": 1, "provider": "p", "listed_at": "2026-11-16T12:00:00", "models": []}',
        '{"version": 1, "provider": "p", "listed_at": "2026-11-16T12:00:00Z", "models": [{"owner": "x"}]}',
        '{"version": 1, "provider": "p", "listed_at": "2026-11-16T12:00:00Z", "models": [{"id": "m", "context_tokens": "many"}]}',
        "[" * 100_000,
    ],
)
def test_a_file_that_is_no_list_counts_as_none(text, tmp_path, caplog):
    """It is logged once, and the next list takes its place."""
    Store(tmp_path).update("p", URL, [FULL], MONDAY)
    (file,) = tmp_path.iterdir()
    file.write_bytes(text.encode("latin-1"))
    with caplog.at_level(logging.WARNING, "llm_gateway.models"):
        assert Store(tmp_path).load("p", URL) is None
        assert Store(tmp_path).load("p", URL) is None

    (record,) = caplog.records
    assert record.message.startswith(f"cannot read {file}, a list of models: ")
    assert record.message.endswith("; it is fetched again when it is needed")
    Store(tmp_path).update("p", URL, [ModelInfo("new", "p")], FRIDAY)
    assert ["new"] == ids(Store(tmp_path).load("p", URL))


def test_a_folder_that_cannot_be_written_to_keeps_nothing(tmp_path, caplog):
    """It is logged once with what to set; the list lasts as long as its client."""
    (tmp_path / "file").write_text("in the way")
    folder = tmp_path / "file" / "models"
    store = Store(folder)
    with caplog.at_level(logging.WARNING, "llm_gateway.models"):
        store.update("p", URL, [FULL], MONDAY)
        store.update("p", URL, [ModelInfo("n", "p")], FRIDAY)

    (record,) = caplog.records
    assert (
        f"cannot keep lists of models in {folder}: Not a directory; they last as long as the client does; "
        "export LLM_MODELS_CACHE=<a folder that can be written to>"
    ) == record.message
    assert ["n", "m"] == ids(store.load("p", URL))
    assert Store(folder).load("p", URL) is None


def test_a_full_disk_leaves_the_old_list(tmp_path, monkeypatch):
    """Byte for byte; the new one is known to its client alone."""
    Store(tmp_path).update("p", URL, [FULL], MONDAY)
    (file,) = tmp_path.iterdir()
    before = file.read_bytes()
    monkeypatch.setattr("os.fsync", lambda number: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    store = Store(tmp_path)
    store.update("p", URL, [ModelInfo("n", "p")], FRIDAY)

    assert (before, [file]) == (file.read_bytes(), list(tmp_path.iterdir()))
    assert ["n", "m"] == ids(store.load("p", URL))


@pytest.fixture
def own():
    """Nothing is registered before or after."""
    registered.clear()
    yield registered
    registered.clear()


def test_what_is_registered_is_known(own, tmp_path):
    """Of a name, else of the longest pattern that fits; dates may be text."""
    register_model("acme:*", context_tokens=1)
    register_model("acme:big-*", context_tokens=2, replaced_by="acme-3")
    register_model("acme:big-one", context_tokens=3, capabilities=["chat"], deprecated_at="2026-11-16")
    known = ModelCatalog(load(models_cache=tmp_path))

    assert [1, 2, 3, None] == [
        info and info.context_tokens
        for info in (
            known.info("acme", "x"),
            known.info("acme", "big-x"),
            known.info("acme", "big-one"),
            known.info("other", "x"),
        )
    ]
    info = known.info("acme", "big-one")
    assert (frozenset({"chat"}), datetime(2026, 11, 16, tzinfo=UTC)) == (info.capabilities, info.deprecated_at)


@pytest.mark.parametrize(
    ("target", "facts", "words"),
    [
        ("big", {}, "'big' names no model\n  write provider:model, as in openai:gpt-5-mini"),
        (
            "a:b",
            {"contxt_tokens": 1},
            "'a:b' has an unknown fact 'contxt_tokens'\n  did you mean 'context_tokens'?\n  facts are context_tokens, max_output_tokens, capabilities, deprecated_at, retires_at, replaced_by, refuses",
        ),
        ("a:b", {"context_tokens": 0}, "'a:b' has context_tokens=0\n  it is a number of tokens, above 0"),
        ("a:b", {"max_output_tokens": True}, "'a:b' has max_output_tokens=True\n  it is a number of tokens, above 0"),
        (
            "a:b",
            {"capabilities": ["chatt"]},
            "'a:b' has capabilities=['chatt']\n  'chatt' is none of audio, chat, embeddings, images, json_schema, moderation, pdf, reasoning, rerank, streaming, tools",
        ),
        ("a:b", {"retires_at": "soon"}, "'a:b' has retires_at='soon'\n  it is a date, as in 2027-01-31"),
        ("a:b", {"replaced_by": ""}, "'a:b' has replaced_by=''\n  it is the name of a model"),
    ],
)
def test_a_wrong_fact_is_named(target, facts, words, own, tmp_path):
    """With its origin, a file or a call."""
    file = tmp_path / "llm.yaml"
    file.write_text(f"models: {json.dumps({target: facts})}")
    with pytest.raises(ConfigError) as caught:
        ModelCatalog(load(config=file, models_cache=tmp_path))
    assert f"{file}: {words}" == str(caught.value)

    if "unknown" not in words:
        with pytest.raises(ConfigError) as caught:
            register_model(target, **facts)
        assert f"register_model: {words}" == str(caught.value)


def test_facts_have_to_be_facts(tmp_path):
    """A number is none."""
    file = tmp_path / "llm.yaml"
    file.write_text("models: {'a:b': 5}")
    with pytest.raises(
        ConfigError, match=r"the configuration is wrong\n  .*llm.yaml: models.a:b = 5: Input should be a valid dict"
    ):
        load(config=file)
    with pytest.raises(ConfigError, match="x: 'a:b' has 5, no facts\n  facts of a model are context_tokens, "):
        registered.read({"a:b": 5}, "x")


@pytest.mark.parametrize(
    ("platform", "environ", "folder"),
    [
        ("linux", {}, "~/.cache/llm-gateway"),
        ("linux", {"XDG_CACHE_HOME": "/caches"}, "/caches/llm-gateway"),
        ("darwin", {"XDG_CACHE_HOME": "/caches"}, "~/Library/Caches/llm-gateway"),
        ("win32", {"LOCALAPPDATA": "/local"}, "/local/llm-gateway/Cache"),
        ("win32", {}, "~/AppData/Local/llm-gateway/Cache"),
    ],
)
def test_the_cache_folder_is_the_platforms(platform, environ, folder):
    """Below the user's home unless a variable is set."""
    assert PurePath(folder.replace("~", str(Path.home()))) == cache_folder(platform, environ)


def test_a_folder_that_is_set_to_nothing_is_the_usual_one(monkeypatch, tmp_path):
    """Not the one that the program runs in."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("LLM_MODELS_CACHE", "")
    assert cache_folder() / "models" == load().models_folder()
