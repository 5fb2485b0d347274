"""The page of ``--llm-report``, opened from its file in a real browser."""

import os

import pytest

SCHEMES, SIZES = ["light", "dark"], ["wide", "narrow"]
GROUNDS = {"light": "rgb(246, 247, 249)", "dark": "rgb(14, 19, 25)"}
NAMES, COST, OUTCOME = "tbody tr:not([hidden]) th", "td:nth-child(7)", "td:nth-child(2)"
CONTRAST = """() => {
    const light = (colour) => {
        const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map((part) => part / 255)
            .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const ground = (node) => {
        for (; node; node = node.parentElement) {
            const colour = getComputedStyle(node).backgroundColor;
            if (colour !== "rgba(0, 0, 0, 0)") return light(colour);
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
    return page.locator(f"tbody tr:not([hidden]) {cell}").all_inner_texts()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_it_needs_nothing_but_itself_and_can_be_read(open_page, folder, scheme, size):
    """No request but the file, no word in the console, the scheme that was asked, enough contrast, no sideways scroll."""
    page = open_page(folder / "mixed.html", scheme, size)
    text, bars = page.evaluate(CONTRAST)
    if shots := os.environ.get("BROWSER_SHOTS"):
        page.screenshot(path=f"{shots}/{scheme}-{size}.png", full_page=True)

    assert [(folder / "mixed.html").as_uri()] == page.requested
    assert [] == page.said
    assert GROUNDS[scheme] == page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert text >= 4.5
    assert bars >= 3
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_nothing_that_a_test_is_called_becomes_markup(open_page, folder):
    """A script in a test's id is shown, and would not run if it were there."""
    page = open_page(folder / "mixed.html")
    page.get_by_label("Filter").fill("<script>")

    assert ["test_shop.py::test_names[<script>document.title='broken'</script>]"] == column(page, "th")
    assert "LLM calls (new) of " in page.title()
    page.evaluate("document.body.append(Object.assign(document.createElement('script'), {text: 'document.title = 1'}))")
    assert "LLM calls (new) of " in page.title()
    assert "Content Security Policy" in page.said[0]


def test_bars_are_as_long_as_what_they_stand_for(open_page, folder):
    """The dearest fills the line, the others their share of it, and each says its number."""
    page = open_page(folder / "mixed.html")
    card = page.locator("section", has=page.get_by_role("heading", name="Cost by test"))
    lines = [line.bounding_box()["width"] for line in card.locator("svg").all()]
    bars = [bar.bounding_box()["width"] for bar in card.locator("rect").all()]
    costs = [float(words.removeprefix("cost $")) for words in card.locator("svg title").all_text_contents()]

    assert 10 == len(bars) == len(lines)
    assert bars[0] == pytest.approx(lines[0], abs=2)
    assert bars == pytest.approx([bars[0] * cost / costs[0] for cost in costs], rel=0.03)
    assert 10 == card.get_by_role("img").count()


def test_the_pictures_are_those_that_were_promised(open_page, folder):
    """By test, model and mode, the slowest, and the cache."""
    page = open_page(folder / "mixed.html")
    wanted = ["Cost by test", "Slowest", "By mode", "Tokens by test", "By model", "Prompt cache"]

    assert wanted == page.locator(".pictures h2").all_inner_texts()
    assert page.locator(".legend").get_by_text("<1% cache not reported (1,080)").is_visible()
    assert ["record", "replay"] == page.locator("section:has(h2:text-is('By mode')) .name").all_inner_texts()


def test_the_table_sorts_by_a_click_or_a_key(open_page, folder):
    """Dearest first; numbers as numbers; what is not known stays last, whichever way it is sorted."""
    page = open_page(folder / "mixed.html", size="narrow")
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


def test_the_table_is_short_until_more_is_asked_for(open_page, folder):
    """A hundred rows; the filter looks through all of them."""
    page = open_page(folder / "mixed.html")
    assert 100 == len(column(page, "th"))
    assert page.get_by_text("100 of 135 tests").is_visible()

    page.get_by_label("Filter").fill("failed")
    assert ["failed", "failed"] == column(page, OUTCOME)
    assert page.get_by_text("2 of 135 tests").is_visible()
    assert page.get_by_role("button", name="Show all").is_hidden()


def test_problems_unfold(open_page, folder):
    """What went over its budget shows its calls."""
    page = open_page(folder / "mixed.html")
    assert ["over budget", "blocked"] == page.locator(".kind").all_inner_texts()
    assert page.get_by_text("#2 claude-haiku-5-5").is_hidden()

    page.get_by_text("1,004 tokens, 4 over max_tokens=1000").first.click()
    assert page.get_by_text("#2 claude-haiku-5-5").is_visible()


def test_a_run_without_calls_says_so(open_page, folder):
    """With no picture and no table."""
    page = open_page(folder / "empty.html", "dark", "narrow")

    assert page.get_by_text("No LLM call was made in this run.").is_visible()
    assert 0 == page.locator("table, svg").count()
    assert [] == page.said
