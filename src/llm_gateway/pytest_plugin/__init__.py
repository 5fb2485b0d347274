"""The pytest plugin: hooks only; the rest is imported by the first test that needs it. Internal, except `snapshots`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from llm_gateway.pytest_plugin import options

if TYPE_CHECKING:
    from collections.abc import Generator

    from llm_gateway.pytest_plugin.session import Session

SESSION: pytest.StashKey[Session] = pytest.StashKey()
_FIXTURES = frozenset(
    {"llm", "sync_llm", "async_llm", "llm_cassette", "llm_budget", "llm_chunks", "fake_llm", "llm_server"}
)
_MARKERS = ("llm", "llm_budget", "llm_chunks")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare ini values; options come later, when every other plugin's are known."""
    options.add_ini(parser)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(parser: pytest.Parser, args: list[str]) -> None:
    """Declare options now that every plugin from an entry point has declared its own."""
    options.add_options(parser)
    args[:] = options.normalized(args)


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Declare what a conftest may add."""
    from llm_gateway.pytest_plugin import hooks

    pluginmanager.add_hookspecs(hooks)


def pytest_configure(config: pytest.Config) -> None:
    """Close the LLM hosts, unless this run is live."""
    options.add_markers(config)
    from llm_gateway.pytest_plugin.report import Report
    from llm_gateway.pytest_plugin.session import Session

    mode_name = options.mode_name(config)
    report = Report(config, mode_name)
    if files := options.report_files(config):
        from llm_gateway.pytest_plugin.reports.collect import Collector

        config.pluginmanager.register(Collector(config, files, mode_name, report.refused), "llm_gateway_files")
    config.stash[SESSION] = Session(config, mode_name)
    config.pluginmanager.register(report, "llm_gateway_report")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave the process as it was found."""
    session = config.stash.get(SESSION, None)
    if session is not None:
        session.end()


def uses_llm(item: pytest.Item) -> bool:
    """Return whether *item* has a cassette, by marker or by fixture."""
    for name in _MARKERS:
        if item.get_closest_marker(name) is not None:
            return True
    return not _FIXTURES.isdisjoint(getattr(item, "fixturenames", ()))


@pytest.hookimpl(trylast=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that replays once for each way in which its marker splits streams."""
    if metafunc.config.stash[SESSION].mode_name == "replay" and metafunc.definition.get_closest_marker("llm_chunks"):
        from llm_gateway.pytest_plugin import chunking

        chunking.parametrize(metafunc)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Raise for two tests that would share a cassette."""
    mine = [item for item in items if uses_llm(item)]
    if mine:
        config.stash[SESSION].check_names(mine)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Remove the placeholder keys that modules needed at import; each test that replays gets its own."""
    session.config.stash[SESSION].collected()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Name the running test to the guard."""
    with item.config.stash[SESSION].test(item):
        return (yield)


@pytest.hookimpl(wrapper=True, trylast=True)  # inside pytest's own wrappers: their teardown needs their setup
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, object, object]:
    """Open the test's cassette before its fixtures run."""
    session = item.config.stash[SESSION]
    session.begin(item)
    if uses_llm(item):
        session.open(item)
    with session.phase():
        return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Fail a test whose calls found no recording or were refused, whatever it made of the answers."""
    session = item.config.stash[SESSION]
    with session.phase(), session.checked(item):
        return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, object, object]:
    """Close the cassette after every fixture is done, and save it if all went well."""
    session = item.config.stash[SESSION]
    try:
        with session.phase(), session.checked(item, is_teardown=True):
            result = yield
        session.save(item)
    finally:
        session.close(item)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note whether the test passed so far, and send what its calls used along with the report."""
    report = yield
    item.config.stash[SESSION].note(item, call, report)
    return report


@pytest.fixture(scope="session")
def llm_mode(request: pytest.FixtureRequest) -> object:
    """Return what this run does with calls, a `llm_gateway.Mode`: for fixtures that open a cassette of their own."""
    from llm_gateway.cassettes.modes import Mode

    return Mode(request.config.stash[SESSION].mode_name)


@pytest.fixture
def llm_cassette(request: pytest.FixtureRequest) -> object:
    """Return the cassette of this test: its ``path``, ``mode`` and ``calls`` so far, and methods to make calls fail."""
    return request.config.stash[SESSION].cassette(request.node)


@pytest.fixture
def llm_chunks(request: pytest.FixtureRequest) -> object:
    """Return how the replayed streams of this run are split, as in the marker ``llm_chunks``; None for as recorded."""
    return getattr(request, "param", None)


@pytest.fixture
def llm_budget(request: pytest.FixtureRequest) -> object:
    """Return the budget of this test: ``limits``, ``spent``, ``remaining``, and ``limit(...)`` for a block."""
    from llm_gateway.cost.budget import Limits
    from llm_gateway.pytest_plugin.budgets import Budget, limits_of

    cassette = request.config.stash[SESSION].cassette(request.node)
    return Budget(limits_of(request.node) or Limits(), cassette)


@pytest.fixture
def llm(request: pytest.FixtureRequest) -> Generator[object]:
    """Yield an LLM client: ``SyncLLMClient``, or ``LLMClient`` in an ``async def`` test."""
    from llm_gateway.pytest_plugin import clients

    yield from clients.either(request)


@pytest.fixture
def sync_llm(request: pytest.FixtureRequest) -> Generator[object]:
    """Yield a ``SyncLLMClient``, in sync and async tests."""
    from llm_gateway.pytest_plugin import clients

    yield from clients.sync(request)


@pytest.fixture
def async_llm(request: pytest.FixtureRequest) -> Generator[object]:
    """Yield an ``LLMClient``, in sync and async tests."""
    from llm_gateway.pytest_plugin import clients

    yield from clients.asynchronous(request)


@pytest.fixture
def fake_llm(request: pytest.FixtureRequest) -> object:
    """Return scripted answers for every model that the test calls, a `llm_gateway.fakes.FakeLLM`."""
    from llm_gateway.fakes.fake_llm import FakeLLM

    fake = FakeLLM()
    request.config.stash[SESSION].cassette(request.node).answer_by(fake)
    return fake


@pytest.fixture
def llm_server(request: pytest.FixtureRequest) -> Generator[object]:
    """
    Yield a server on this machine that answers as `fake_llm` or the cassette does, for code in other processes.

    It has a ``url`` and an ``env``; its answers are scripted with `fake_llm`.
    """
    from llm_gateway.pytest_plugin.server import serving

    with serving(request.config.stash[SESSION].cassette(request.node)) as server:
        yield server


@pytest.fixture
def llm_snapshot(request: pytest.FixtureRequest) -> object:
    """Return a snapshot in canonical form: ``assert reply.content == llm_snapshot``; needs syrupy."""
    from llm_gateway.pytest_plugin.snapshots.fixture import snapshot_for

    return snapshot_for(request, request.config.stash[SESSION].mode_name)
