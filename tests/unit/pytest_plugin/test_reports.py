"""The document of a run and what is drawn from it, without running one."""

import re
import time
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import pytest

from llm_gateway.cost import Totals
from llm_gateway.cost.money import shown
from llm_gateway.pytest_plugin.report import unknown_text
from llm_gateway.pytest_plugin.reports import wording
from llm_gateway.pytest_plugin.reports.collect import render
from llm_gateway.pytest_plugin.reports.document import SCHEMA, CollectedTest, build, sums
from llm_gateway.pytest_plugin.reports.target import Target
from llm_gateway.record import CallRecord
from llm_gateway.usage import COUNTS, TokenUsage

DOCS = Path(__file__).parents[3] / "docs" / "report.md"
RUN = {
    "project": "shop",
    "mode": "replay",
    "started_at": "2026-11-21T09:33:54+00:00",
    "duration_s": 61.0,
    "exit_code": 0,
}
NASTY = "test_a.py::test_x[</script><script>alert(1)</script>|`_*~@\n\x1b\ud800$1$ http://e.x \"'&]"
OVER = {
    "limits": {"max_calls": 1},
    "verdict": "broken",
    "reason": "BudgetExceededError: over\n  2 calls, 1 over\n  <b>",
}


def call(**given):
    known = {"source": "replay", "provider": "anthropic", "api": "anthropic.messages", "duration_s": 0.5, "status": 200}
    counts = {"input_tokens": 100, "output_tokens": 10, "cache_read_tokens": 60, "cache_write_tokens": 10}
    counts |= {name: given.pop(name) for name in list(given) if name in COUNTS}
    cost = given.pop("cost", "0.0000054")
    more = {"usage": TokenUsage(**counts), "cost_usd": None if cost is None else Decimal(cost)}
    return CallRecord(**{**known, "model_served": "claude-haiku-5-5", **more, **given})


def phase(when="call", outcome="passed", **more):
    flags = {name: name == outcome for name in ("passed", "failed", "skipped")}
    return SimpleNamespace(when=when, outcome=outcome, duration=1.0, **flags, **more)


def data(*calls, missed=(), refused=(), budget=None):
    return {
        "outcome": None,
        "calls": list(calls),
        "refused": refused,
        "missed": missed,
        "budget": budget,
    }


def collected(name, *calls, **more):
    one = CollectedTest(name)
    one.add(phase("call", llm_gateway=data(*calls, **more)))
    return one


def document(*tests, refused=(), **run):
    return build({**RUN, **run}, tests, refused)


class Page(HTMLParser):
    """The tags of a page and its texts, as a browser would read them."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.texts = [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, text):
        self.texts.append(text)


def test_what_is_not_known_is_counted_and_never_zero():
    """A sum covers the reported numbers; it is None where all calls are unknown, and zero without calls."""
    silent = call(usage=None, cost=None, duration_s=None)
    mixed, unknown, none = sums([call(), silent]), sums([silent]), sums([])

    assert (2, 100, 30, "0.0000054", 0.5) == tuple(
        mixed[name] for name in ("calls", "input_tokens", "fresh_input_tokens", "cost_usd", "waited_s")
    )
    assert (1, 1, 2) == tuple(mixed["unknown"][name] for name in ("input_tokens", "cost_usd", "reasoning_tokens"))
    assert [None] * 5 == [
        unknown[name] for name in ("input_tokens", "output_tokens", "fresh_input_tokens", "cost_usd", "waited_s")
    ]
    assert (0, 0, "0") == (none["calls"], none["input_tokens"], none["cost_usd"])


def test_other_calls_count_as_calls_and_misses_do_not():
    """A call to something that is no model has no tokens to be known."""
    other = call(api=None, usage=None, cost=None)
    total = sums([call(), other, call(source="miss"), call(source="refused")])

    assert (2, 1, 0) == (total["calls"], total["model_calls"], total["unknown"]["cost_usd"])


def test_calls_that_were_not_made_are_listed_apart():
    """Calls without a recording, and calls that a limit rejected."""
    texts = ["CassetteMissError: no recording matches POST host\n  more", "BudgetExceededError: a third call\n  more"]
    data = document(collected("test_a.py::test_x", call(), call(source="miss"), call(source="refused"), missed=texts))
    comment, page = render(data, ".md"), render(data, ".html")

    assert (1, 1, 1) == (data["totals"]["all"]["calls"], data["totals"]["missed"], data["totals"]["refused"])
    assert "- no recording: <code>test_a.py::test_x</code> no recording matches POST host\n" in comment
    assert "- refused: <code>test_a.py::test_x</code> a third call\n" in comment
    assert "1 replay, 1 without a recording, 1 refused by a limit" in page


def test_costs_add_up_exactly():
    """As decimals, without an exponent."""
    assert "0.0000000000003" == sums([call(cost="1E-13"), call(cost="2E-13")])["cost_usd"]
    assert "300" == sums([call(cost="1E+2"), call(cost="200.00")])["cost_usd"]


@pytest.mark.parametrize(
    ("phases", "outcome"),
    [
        ([phase("setup"), phase(), phase("teardown")], "passed"),
        ([phase("setup"), phase(outcome="failed"), phase("teardown", "failed")], "failed"),
        ([phase("setup"), phase(), phase("teardown", "failed")], "error"),
        ([phase("setup", "failed"), phase("teardown")], "error"),
        ([phase("setup", "skipped"), phase("teardown")], "skipped"),
        ([phase("setup"), phase(outcome="skipped", wasxfail=""), phase("teardown")], "xfailed"),
        ([phase("setup"), phase(wasxfail=""), phase("teardown")], "xpassed"),
        ([phase("???", "failed")], "failed"),
        ([phase("setup")], "unfinished"),
        (
            [phase("setup"), phase(outcome="failed"), phase("teardown"), phase("setup"), phase(), phase("teardown")],
            "passed",
        ),
    ],
    ids=["passed", "failed", "late", "setup", "skipped", "xfailed", "xpassed", "crashed", "interrupted", "rerun"],
)
def test_a_test_has_one_outcome(phases, outcome):
    """The worst of its phases, in its last try."""
    one = CollectedTest("test")
    for each in phases:
        one.add(each)
    assert outcome == one.outcome


def fields(value):
    """Return every field name in *value*, at any depth."""
    if isinstance(value, list):
        return {name for one in value for name in fields(one)}
    return set(value) | {name for one in value.values() for name in fields(one)} if isinstance(value, dict) else set()


def test_every_field_is_documented():
    """By its name, in the page that holds the schema."""
    tests = [collected("test_a.py::test_x", call(), budget={**OVER, "limits": {}})]
    data = document(*tests, refused=[(None, "POST host")])

    assert SCHEMA == data["schema"]
    assert set() == {name for name in fields(data) if f"`{name}`" not in DOCS.read_text(encoding="utf-8")}


def test_a_comment_stays_short_and_counts_what_it_leaves_out():
    """However many tests, models and problems there are."""
    tests = [
        collected(
            f"test_a.py::test_{n}",
            call(model_served=f"model-{n % 50}"),
            missed=["CassetteMissError: none\nmore"],
            budget=OVER,
        )
        for n in range(1000)
    ]
    comment = render(document(*tests), ".md")

    assert len(comment.splitlines()) <= 60
    assert "**2,000 problems**" in comment
    assert "- and 1,985 more" in comment
    assert "and 40 more" in comment
    assert "- over budget: <code>test_a.py::test_0</code> 2 calls, 1 over\n" in comment


def test_a_comment_counts_what_is_not_known():
    """A run that records and replays reports what was spent and what was not."""
    tests = [
        collected("test_a.py::test_x", call(), call(source="record"), call(source="live", input_tokens=None, cost=None))
    ]
    line = render(document(*tests), ".md").splitlines()[2]

    assert line == (
        "**record 1 call: 100 tokens in, 10 out, $0.000005 spent; live 1 call: – tokens in, 10 out, – spent; "  # noqa: RUF001
        "replay 1 call: 100 tokens in, 10 out, $0.000005 not spent; 1 call without known usage; "
        "1 call without known cost**. 1 passed in 1 min 1 s."
    )


def test_names_cannot_break_a_comment():
    """Nothing of a test's id is read as Markdown or HTML, and no row is torn."""
    comment = render(document(collected(NASTY, call(model_served="a|b"), budget=OVER)), ".md")
    row = next(line for line in comment.splitlines() if line.startswith("| <code>test_a"))

    assert 7 == row.count("|")
    assert "<script" not in comment
    assert not re.search(r"[`*~@\x1b]|http://|\$1\$", row)
    assert "<code>a&#124;b</code>" in comment


def test_names_cannot_break_a_page():
    """A browser reads them as the same text, in every place."""
    page = render(document(collected(NASTY, call(), budget=OVER), refused=[(None, "POST <i>")], project="<x>"), ".html")
    read = Page(page)

    assert 1 == sum(tag == "script" for tag, _ in read.tags)
    assert {"x", "i", "alert"}.isdisjoint(tag for tag, attributes in read.tags if tag != "i" or not attributes)
    shown = NASTY.replace("\x1b", "\\x1b").replace("\ud800", "\\ud800")
    assert 5 <= read.texts.count(shown.partition("::")[2])
    assert shown in [attributes.get("title") for _, attributes in read.tags]


def test_a_page_makes_no_request():
    """Its only addresses are its own, and its policy forbids every other."""
    read = Page(render(document(collected("test_a.py::test_x", call())), ".html"))
    addresses = [value for _, attributes in read.tags for name, value in attributes.items() if name in ("src", "href")]
    (policy,) = [one["content"] for tag, one in read.tags if tag == "meta" and "http-equiv" in one]

    assert ["data:,"] == addresses
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'sha256-")
    assert not [attributes for _, attributes in read.tags if "style" in attributes]


def test_five_thousand_tests_make_a_small_page_soon():
    """All in the table, ten in each picture."""
    tests = [collected(f"tests/shop/test_orders.py::test_order[{n}]", call(cost=f"0.{n:05}")) for n in range(5000)]
    started = time.process_time()
    page = render(document(*tests), ".html")

    assert time.process_time() - started < 5
    assert len(page) < 2_000_000
    assert 5000 == page.count('<th scope="row">')
    assert 35 == page.count("<svg")


def test_seconds_shares_and_money_are_short():
    """None is a dash, and something is never shown as nothing."""
    shown_seconds = [wording.seconds(value) for value in (None, 0, 0.0004, 0.53, 0.9996, 2.54, 59.96, 200)]

    assert ["–", "0 ms", "<1 ms", "530 ms", "1.0 s", "2.5 s", "1 min 0 s", "3 min 20 s"] == shown_seconds  # noqa: RUF001
    assert ["0%", "<1%", "33%", "100%"] == [wording.share(part, 300) for part in (0, 1, 100, 300)]
    assert ["$0", "$1.25", "$0.0031", "$0.000042", "$0.0000005"] == [
        shown(Decimal(amount)) for amount in ("0", "1.25", "0.0031", "0.000042", "0.00000054")
    ]


def test_a_file_is_replaced_in_one_step(tmp_path):
    """What cannot be written leaves it alone; a link stays one; what UTF-8 cannot hold is escaped."""
    file, link = tmp_path / "real.md", tmp_path / "link.md"
    file.write_text("old")
    link.symlink_to(file)
    Target(link, "link.md").write("new \ud800")

    assert "new \\ud800" == file.read_text()
    assert link.is_symlink()
    (tmp_path / "folder.md").mkdir()
    with pytest.raises(OSError, match=r"folder\.md"):
        Target(tmp_path / "folder.md", "folder.md").write("new")
    assert ["folder.md", "link.md", "real.md"] == sorted(path.name for path in tmp_path.iterdir())


def test_the_summary_counts_unknown_usage_and_unknown_costs_apart():
    """A call with a stated cost and no usage is another than one with usage and no price."""
    stated = CallRecord(api="openai.chat", cost_usd=Decimal("0.01"))
    unpriced = CallRecord(api="openai.chat", usage=TokenUsage(5, 5))

    assert "(1 without known usage, 1 without known cost)" == unknown_text(Totals.of([stated, unpriced]))
    assert "" == unknown_text(Totals.of([CallRecord(api="openai.chat", usage=TokenUsage(5, 5), cost_usd=Decimal(1))]))
