"""Report page of ``--llm-report``, opened from its file in a real browser."""

import os

import pytest

SCHEMES, SIZES = ["light", "dark"], ["wide", "narrow"]
BACKGROUNDS = {"light": "rgb(246, 247, 249)", "dark": "rgb(14, 19, 25)"}
NAMES, COST, OUTCOME = "tbody tr:not([hidden]) th", "td:nth-child(7)", "td:nth-child(2)"
CONTRAST = """() => {
    const light = (color) => {
        const [r, g, b] = color.match(/[\\d.]+/g).slice(0, 3).map((part) => part / 255)
            .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const ground = (node) => {
        for (; node; node = node.parentElement) {
            const color = getComputedStyle(node).backgroundColor;
            if (color !== "rgba(0, 0, 0, 0)") return light(color);
        }
    };
    const ratio = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const texts = [...document.querySelectorAll("main *, footer")].filter((node) =>
        node.offsetParent && [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim()));
    const bars = [...document.querySelectorAll("rect")];
    return [
        Math.min(...texts.map((node) => ratio(light(getComputedStyle(node).color), ground(node)))),
        Math.min(...bars.map((node) => ratio(light(getComputedStyle(node).fill), ground(node.ownerSVGElement.parentElement)))),
    ];
}"""


def column(page, cell):
    """Return the texts of one column of the visible rows."""
    return page.locator(f"tbody tr:not([hidden]) {cell}").all_inner_texts()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_page_is_self_contained_and_readable(open_page, reports, scheme, size):
    """It requests only itself, logs nothing, follows the scheme, has enough contrast and no horizontal scrolling."""
    page = open_page(reports / "mixed.html", scheme, size)
    text, bars = page.evaluate(CONTRAST)
    if shots := os.environ.get("BROWSER_SHOTS"):
        page.screenshot(path=f"{shots}/{scheme}-{size}.png", full_page=True)

    assert [(reports / "mixed.html").as_uri()] == page.requested
    assert [] == page.console
    assert BACKGROUNDS[scheme] == page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert text >= 4.5
    assert bars >= 3
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_test_ids_are_escaped(open_page, reports):
    """A script in a test's id is shown as text, and the page's policy would block it."""
    page = open_page(reports / "mixed.html")
    page.get_by_label("Filter").fill("<script>")

    assert ["test_shop.py::test_names[<script>document.title='broken'</script>]"] == column(page, "th")
    assert "LLM calls (new) of " in page.title()
    page.evaluate("document.body.append(Object.assign(document.createElement('script'), {text: 'document.title = 1'}))")
    assert "LLM calls (new) of " in page.title()
    assert "Content Security Policy" in page.console[0]


def test_bar_lengths_are_proportional_to_cost(open_page, reports):
    """The most expensive test fills the line, and each bar has its number as a label."""
    page = open_page(reports / "mixed.html")
    card = page.locator("section", has=page.get_by_role("heading", name="Cost by test"))
    lines = [line.bounding_box()["width"] for line in card.locator("svg").all()]
    bars = [bar.bounding_box()["width"] for bar in card.locator("rect").all()]
    costs = [float(words.removeprefix("cost $")) for words in card.locator("svg title").all_text_contents()]

    assert 10 == len(bars) == len(lines)
    assert bars[0] == pytest.approx(lines[0], abs=2)
    assert bars == pytest.approx([bars[0] * cost / costs[0] for cost in costs], rel=0.03)
    assert 10 == card.get_by_role("img").count()


def test_page_has_all_charts(open_page, reports):
    """There are charts by test, model and mode, of the slowest calls, and of the prompt cache."""
    page = open_page(reports / "mixed.html")
    wanted = ["Cost by test", "Slowest", "By mode", "Tokens by test", "By model", "Prompt cache"]

    assert wanted == page.locator(".pictures h2").all_inner_texts()
    assert page.locator(".legend").get_by_text("<1% cache not reported (1,080)").is_visible()
    assert ["record", "replay"] == page.locator("section:has(h2:text-is('By mode')) .name").all_inner_texts()


def test_table_sorts_by_click_and_by_key(open_page, reports):
    """The highest cost comes first; numbers sort as numbers, and unknown values stay last in both directions."""
    page = open_page(reports / "mixed.html", size="narrow")
    page.get_by_role("button", name="Show all").click()
    costs = column(page, COST)
    known = [float(cost[1:]) for cost in costs if cost.startswith("$")]
    assert 135 == len(costs)
    assert known == sorted(known, reverse=True)
    assert page.get_by_role("columnheader", name="Cost").get_attribute("aria-sort") == "descending"

    page.get_by_role("button", name="Cost").click()
    assert list(reversed(known)) == [float(cost[1:]) for cost in column(page, COST) if cost.startswith("$")]
    assert ["–"] == column(page, COST)[-1:]  # noqa: RUF001  what the page shows

    page.get_by_role("button", name="Test", exact=True).focus()
    page.keyboard.press("Enter")
    names = column(page, "th")
    assert page.get_by_role("columnheader", name="Test").get_attribute("aria-sort") == "ascending"
    assert ["test_many[1]", "test_many[2]", "test_many[3]"] == [name.rpartition("\n")[2] for name in names[:3]]
    assert names[-1].endswith("test_within_budget")


def test_table_shows_one_hundred_rows_at_first(open_page, reports):
    """The filter searches all of them."""
    page = open_page(reports / "mixed.html")
    assert 100 == len(column(page, "th"))
    assert page.get_by_text("100 of 135 tests").is_visible()

    page.get_by_label("Filter").fill("failed")
    assert ["failed", "failed"] == column(page, OUTCOME)
    assert page.get_by_text("2 of 135 tests").is_visible()
    assert page.get_by_role("button", name="Show all").is_hidden()


def test_problems_expand_to_their_calls(open_page, reports):
    """A click on a test over its budget shows the calls that it made."""
    page = open_page(reports / "mixed.html")
    assert ["over budget", "blocked"] == page.locator(".kind").all_inner_texts()
    assert page.get_by_text("#2 claude-haiku-5-5").is_hidden()

    page.get_by_text("1,004 tokens, 4 over max_tokens=1000").first.click()
    assert page.get_by_text("#2 claude-haiku-5-5").is_visible()


def test_run_without_calls_has_a_message(open_page, reports):
    """There is no chart and no table."""
    page = open_page(reports / "empty.html", "dark", "narrow")

    assert page.get_by_text("No LLM call was made in this run.").is_visible()
    assert 0 == page.locator("table, svg").count()
    assert [] == page.console
