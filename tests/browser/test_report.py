"""The page of ``--llm-report``, opened from its file in a real browser."""

import pytest

NUMBERS = "tbody tr:not([hidden]) td:nth-child({})"


def column(page, number):
    return page.locator(NUMBERS.format(number)).all_inner_texts()


@pytest.mark.parametrize("size", ["wide", "narrow"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_shots(open_page, folder, scheme, size):
    page = open_page(folder / "mixed.html", scheme, size)
    page.screenshot(path=f"/tmp/w/rep/{scheme}-{size}.png", full_page=True)
    print(page.requested, page.said)
