"""The clock of a test that replays: as it was when the test was recorded."""

import re
from datetime import UTC, datetime

import pytest

TEST = """
    import asyncio, time
    import datetime as dt
    from datetime import UTC, date, datetime

    import app, freezegun, pydantic, pytest

    pytestmark = pytest.mark.llm

    def said():
        now = datetime.now()
        assert abs(now.timestamp() - time.time()) < 5 and abs(datetime.now(UTC).timestamp() - time.time()) < 5
        return (
            f"{date.today()} {now:%H} {dt.datetime.now(UTC):%F %H} {time.strftime('%F %H %z')} "
            f"{dt.datetime.now().astimezone():%F %H %z} {time.gmtime().tm_yday} {time.localtime().tm_yday}"
        )

    def test_prompt():
        app.ask(said())

    @pytest.fixture
    def asked():
        app.ask(said())

    @pytest.mark.asyncio
    async def test_fixture_task_and_thread(asked):
        start = time.monotonic()
        async with asyncio.timeout(5):
            await asyncio.sleep(0.02)
            await app.ask_later(said())
        await asyncio.to_thread(lambda: app.ask(said()))
        assert 0.02 <= time.monotonic() - start < 5

    def test_types():
        class Ticket(pydantic.BaseModel):
            due: date
            at: datetime

        ticket = Ticket(due=date.today(), at=datetime.now())
        assert isinstance(ticket.due, date) and isinstance(ticket.at, dt.datetime)
        app.ask(Ticket.model_validate_json(ticket.model_dump_json()).due.isoformat())

    def test_own_freeze():
        with freezegun.freeze_time("2001-02-03"):
            app.ask(date.today().isoformat())
        app.ask(said())

    class TestFrozen:
        @pytest.fixture(scope="class", autouse=True)
        @staticmethod
        def frozen():
            with freezegun.freeze_time("2003-04-05"):
                yield

        def test_first(self):
            app.ask(date.today().isoformat())

        def test_second(self):
            app.ask(date.today().isoformat())

    @pytest.mark.llm(time="real")
    def test_real():
        assert type(datetime.now()) is dt.datetime is datetime
        app.ask("the same every day")
"""
TESTS = 7


def aged(folder):
    """Make all cassettes four years older, which keeps every day of the year."""
    year = datetime.now(UTC).year
    for path in folder.rglob("*.yaml"):
        text = path.read_text("utf-8")
        path.write_text(re.sub(rf"\b{year}(?=-\d\d-\d\d)", str(year - 4), text), "utf-8")


@pytest.fixture
def dated(project, monkeypatch):
    """A suite whose prompts carry the date: recorded fourteen hours ahead of UTC, years ago, and replayed behind it."""
    project.makepyfile(test_dated=TEST)
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    project.runpytest_subprocess("--llm-record").assert_outcomes(passed=TESTS)
    aged(project.path / "cassettes")
    monkeypatch.setenv("TZ", "America/St_Johns")
    return project


def test_prompts_that_carry_the_date_replay_years_later(dated):
    """In fixtures, tasks and threads, whatever reads the clock; a freeze of the test's own wins; waiting is real."""
    replay = dated.runpytest_subprocess("-o", "llm_time=recorded", "--durations=0", "-vv")

    replay.assert_outcomes(passed=TESTS)
    times = re.findall(r"^(\d+\.\d\d)s (?:setup|call|teardown) ", replay.stdout.str(), re.MULTILINE)
    assert 3 * TESTS == len(times)
    assert max(map(float, times)) < 5
    dated.runpytest_subprocess("-o", "llm_time=recorded", "-n", "2").assert_outcomes(passed=TESTS)
    dated.runpytest_subprocess("-k", "prompt or real").assert_outcomes(passed=1, failed=1)
