"""The state of the plugin during a run: the mode, the guard, and the open cassette of the running test."""

from __future__ import annotations

import os
import traceback
from contextlib import contextmanager
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import pytest

from llm_gateway.interception import guard
from llm_gateway.interception.hooks import install
from llm_gateway.interception.hooks.process import prepare
from llm_gateway.pytest_plugin import chunking, marker
from llm_gateway.pytest_plugin.clock import Clock
from llm_gateway.pytest_plugin.environment import ModelLists, Placeholders
from llm_gateway.pytest_plugin.marker import marked
from llm_gateway.pytest_plugin.options import read_prices
from llm_gateway.pytest_plugin.spending import Spending

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from contextvars import Token

    from llm_gateway.interception.cassette import Cassette
    from llm_gateway.record import CallRecord
    from llm_gateway.types import WireRequest

__all__ = ["Session"]


class _State:
    """One test while it runs."""

    def __init__(self) -> None:
        self.cassette: Cassette | None = None
        self.token: Token[Cassette | None] | None = None
        self.has_passed = True
        self.was_called = False
        self.is_saved = False
        self.is_over_budget = False
        self.over_budget: str | None = None  # the text of the failure
        self.is_recording_good = True  # what was paid for is kept when nothing but its price failed the test
        self.reported_misses = 0
        self.reported_refusals = 0
        self.sent_calls = 0
        self.before_test = 0
        self.first_refusal = len(guard.refusals)

    def counted_calls(self) -> list[CallRecord]:
        """Return the calls that count against the budget: none of a fixture before the test, in its own cassette."""
        return [] if self.cassette is None else [*self.cassette.calls, *self.cassette.inner_calls[self.before_test :]]


_report = attrgetter("report")
_STATE: pytest.StashKey[_State] = pytest.StashKey()


class Session:
    """
    One run of pytest, or one worker of it.

    Args:
        config: The run's configuration.

        mode_name: ``replay``, ``record``, ``new`` or ``live``.
    """

    def __init__(self, config: pytest.Config, mode_name: str) -> None:
        self.config = config
        self.mode_name = mode_name
        self._placeholders = Placeholders(os.environ)
        self._model_lists = ModelLists()
        self._wants_placeholders = mode_name == "replay" and config.getini("llm_placeholder_keys")
        self._clock = Clock(config)
        read_prices(config)
        self._spending = Spending(config)
        config.pluginmanager.register(self._spending, "llm_gateway_spending")
        install.install()
        if mode_name != "replay":
            self._spending.start()
            self._start_ledger()
        if mode_name != "live" or self._spending.has_limit:
            guard.close()  # a call outside any cassette would count against no limit
        if self._wants_placeholders:
            self._placeholders.set()

    def _start_ledger(self) -> None:
        from llm_gateway.pytest_plugin import ledger

        plugin = ledger.start(self.config)
        if plugin is not None:
            self.config.pluginmanager.register(plugin, "llm_gateway_ledger")

    def end(self) -> None:
        """Open the LLM hosts again and remove the placeholder keys that are left."""
        self._clock.stop()
        guard.open_up()
        self._spending.stop()
        self._placeholders.unset()

    def collected(self) -> None:
        """Remove the placeholder keys, now that modules are imported; each test that replays gets its own."""
        self._placeholders.unset()

    def check_names(self, items: list[pytest.Item]) -> None:
        """
        Check the markers of *items*, and that no two of them share a cassette that no marker names.

        Raises:
            pytest.UsageError: A marker is wrong, or two tests share a cassette; the text names both.
        """
        for item in items:
            marker.check(item)
            if self.mode_name == "replay":
                chunking.check(item)
            if item.get_closest_marker("llm_budget") is not None:
                from llm_gateway.pytest_plugin.budgets import check_budget

                check_budget(item)
        paths = (
            (marker.test_id(item), marker.cassette_path(item, named := marked(item, "cassette")), named is not None)
            for item in items
        )
        marker.check_collisions(paths, is_writing=self.mode_name in ("record", "new"))

    @contextmanager
    def test(self, item: pytest.Item) -> Generator[None]:
        """Run *item* inside this block, its fixtures included."""
        self.begin(item)
        token = guard.running.set(item.nodeid)
        try:
            yield
        finally:
            guard.running.reset(token)

    def begin(self, item: pytest.Item) -> None:
        """Forget what an earlier run of *item* left: a plugin for reruns sets it up again within one protocol."""
        item.stash[_STATE] = _State()

    def open(self, item: pytest.Item) -> None:
        """Open the cassette of *item*; a file that cannot be read fails the test, not the run."""
        from llm_gateway.cassettes.modes import Mode
        from llm_gateway.exceptions import CassetteReadError
        from llm_gateway.interception import active
        from llm_gateway.interception.cassette import Cassette

        path = marker.cassette_path(item, marked(item, "cassette"))
        try:
            mode, test_id = Mode(self.mode_name), marker.test_id(item)
            cassette = Cassette(path, mode, test_id=test_id, settings=self._settings(item))
        except CassetteReadError as error:
            raise pytest.fail.Exception(error.report, pytrace=False) from None
        state = item.stash[_STATE]
        prepare(cassette)
        state.cassette, state.token = cassette, active.enter(cassette)
        if self._wants_placeholders or "fake_llm" in getattr(item, "fixturenames", ()):  # sent nowhere, in any mode
            self._placeholders.set()
        self._model_lists.set()
        if (marked(item, "time") or self._clock.default) == "recorded":
            self._clock.start(item, cassette)

    def _settings(self, item: pytest.Item) -> Any:
        from llm_gateway.interception.settings import Settings

        ignored = [*self.config.getini("llm_ignore_hosts"), *(marked(item, "ignore_hosts") or ())]
        hooks = item.ihook
        return Settings(
            environ=os.environ,
            ignore_hosts=frozenset(map(str.lower, ignored)),
            allow_unused=bool(marked(item, "allow_unused")),
            normalize=_rewriter(hooks.pytest_llm_normalize) if hooks.pytest_llm_normalize.get_hookimpls() else None,
            before_save=_rewriter(hooks.pytest_llm_before_save)
            if hooks.pytest_llm_before_save.get_hookimpls()
            else None,
            guards=[] if self.mode_name == "replay" else self._call_guards(item),
            chunks=marker.variant(item),
        )

    def _call_guards(self, item: pytest.Item) -> list[Any]:
        from llm_gateway.pytest_plugin.budgets import BudgetGuard, limits_of

        limits = limits_of(item)
        return [BudgetGuard(item.nodeid, limits)] if limits else []

    def cassette(self, item: pytest.Item) -> Cassette:
        """Return the open cassette of *item*."""
        cassette = item.stash[_STATE].cassette
        assert cassette is not None
        return cassette

    @contextmanager
    def phase(self) -> Generator[None]:
        """Give a phase of a test the clock of the test; between two of them, where pytest reports, it is real."""
        if self._clock.frozen is None:
            yield
            return
        self._clock.frozen.resume()
        try:
            yield
        finally:
            self._clock.frozen.pause()

    @contextmanager
    def checked(self, item: pytest.Item, *, is_teardown: bool = False) -> Generator[None]:
        """Fail *item* for calls inside the block that were refused or found no recording, whatever came of them."""
        state = item.stash[_STATE]
        if state.cassette is not None and not is_teardown:
            state.before_test = len(state.cassette.inner_calls)
        try:
            yield
        except (Exception, pytest.fail.Exception) as error:
            item.stash[_STATE].is_recording_good = False
            if texts := self._failures(item, is_over=False):
                raise pytest.fail.Exception("\n".join([*texts, _outcome_text(item, error)]), pytrace=False) from None
            raise
        if texts := self._failures(item, is_over=is_teardown):
            state.is_recording_good &= state.is_over_budget and len(texts) == 1
            pytest.fail("\n".join(texts), pytrace=False)

    def _failures(self, item: pytest.Item, *, is_over: bool) -> list[str]:
        state = item.stash[_STATE]
        texts: list[str] = []
        if new := guard.refusals[state.first_refusal + state.reported_refusals :]:
            state.reported_refusals += len(new)
            texts += dict.fromkeys(map(guard.explained, new))
        if state.cassette is not None:
            state.cassette.settle(is_over=is_over)
            failures = state.cassette.outcome.failures()
            errors, state.reported_misses = failures[state.reported_misses :], len(failures)
            if is_over and state.was_called and state.has_passed and not failures:
                errors = state.cassette.outcome.left_over()
            texts += map(_report, errors)
            if not state.is_over_budget and item.get_closest_marker("llm_budget") is not None:
                texts += self._over_budget(item, state, is_over=is_over)
        return texts

    def _over_budget(self, item: pytest.Item, state: _State, *, is_over: bool) -> list[str]:
        """Return the failure once, at the end of the first phase in which the budget is exceeded."""
        from llm_gateway.pytest_plugin.budgets import failure_message, limits_of

        limits = limits_of(item)
        is_clean = is_over and state.was_called and state.has_passed
        calls = state.counted_calls()
        text = None if limits is None else failure_message(item.nodeid, limits, calls, is_over=is_clean)
        state.is_over_budget, state.over_budget = text is not None, text
        return [] if text is None else [text]

    def note(self, item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
        """Keep the outcome of a phase, and put what was called into its report; xdist carries it to the controller."""
        state = item.stash.get(_STATE, None)
        if state is None:
            return
        state.has_passed = state.has_passed and call.excinfo is None
        state.was_called = state.was_called or call.when == "call"
        if call.excinfo is not None and (way := marker.variant(item)) is not None:
            report.sections.append(("llm_chunks", chunking.shown(way)))
        cassette = state.cassette
        calls = [] if cassette is None else [*cassette.calls, *cassette.inner_calls][state.sent_calls :]
        refused = guard.refusals[state.first_refusal :] if call.when == "teardown" else []
        state.sent_calls += len(calls)
        if calls or refused or (cassette is not None and call.when == "teardown"):
            vars(report)["llm_gateway"] = {
                "outcome": None,
                "calls": calls,
                "refused": list(map(attrgetter("what"), refused)),
                "missed": [],
                "budget": None,
                **(self._facts_at_end(item, state) if call.when == "teardown" else {}),
            }

    def _facts_at_end(self, item: pytest.Item, state: _State) -> dict[str, Any]:
        """Return the facts that are known when a test is over: its recording, its misses and its budget."""
        if state.cassette is None:
            return {}
        results: dict[str, Any] = {}
        if state.cassette.mode.writes and (state.is_saved or not state.has_passed):
            results["outcome"] = "saved" if state.is_saved else "not saved"
        problems = state.cassette.outcome.failures()
        has_budget = item.get_closest_marker("llm_budget") is not None
        if not problems and not has_budget:
            return results
        from llm_gateway.exceptions import BudgetExceededError
        from llm_gateway.pytest_plugin.budgets import outcome_of

        results["missed"] = [error.report for error in problems if not isinstance(error, BudgetExceededError)]
        if has_budget:
            refused = next((error.report for error in problems if isinstance(error, BudgetExceededError)), None)
            results["budget"] = outcome_of(item, state.counted_calls(), state.over_budget or refused)
        return results

    def save(self, item: pytest.Item) -> None:
        """Write what a passing test recorded."""
        state = item.stash[_STATE]
        is_good = state.has_passed or (state.is_over_budget and state.is_recording_good)
        if state.cassette is None or not state.cassette.mode.writes or not is_good or not state.was_called:
            return
        from llm_gateway.exceptions import CassetteError

        try:
            state.is_saved = state.cassette.save()
        except CassetteError as error:
            raise pytest.fail.Exception(error.report, pytrace=False) from None

    def close(self, item: pytest.Item) -> None:
        """Close the cassette of *item*, whatever happened."""
        if self._clock.frozen is not None:
            self._clock.frozen.stop()
        state = item.stash[_STATE]
        if state.cassette is None or state.token is None:
            return
        from llm_gateway.interception import active

        state.cassette.close()
        active.leave(state.cassette, state.token)
        self._placeholders.unset()
        self._model_lists.unset()


_PRINTED_ABOVE = ("CassetteMissError", "BlockedCallError", "FakeMissError", "FakeScriptError", "FaultError")


def _rewriter(caller: Any) -> Callable[[WireRequest], WireRequest]:
    """Return a function that rewrites requests as the hook behind *caller* does."""

    def rewrite(request: WireRequest) -> WireRequest:
        rewritten: WireRequest | None = caller(request=request)
        return request if rewritten is None else rewritten

    return rewrite


def _outcome_text(item: pytest.Item, error: BaseException) -> str:
    """Return the line with the error that the test then failed with, and where."""
    lines = [entry for entry in traceback.extract_tb(error.__traceback__) if entry.filename == str(item.path)]
    where = f" at {item.path.name}:{lines[-1].lineno}" if lines else ""
    text = (str(error).splitlines() or [""])[0]
    is_ours = any(name in text for name in _PRINTED_ABOVE)
    return f"  the test then failed{where}: {type(error).__name__}{'' if is_ours else f': {text[:120]}'}"
