"""The client without a mouse."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.slow, pytest.mark.server("chromium")]


@pytest.mark.parametrize(
    ("key", "heading"),
    [("a", "Alerts"), ("i", "Incidents"), ("e", "Explore"), ("t", "Targets"), ("o", "Overview")],
)
def test_g_and_a_letter_go_to_a_section(page: Page, key: str, heading: str) -> None:
    page.goto("/password")
    expect(page.get_by_role("navigation")).to_be_visible()
    page.get_by_role("heading", name="Change password").click()
    page.keyboard.press("g")
    page.keyboard.press(key)
    expect(page.get_by_role("heading", name=heading, level=1)).to_be_visible()


def test_the_palette_finds_a_page_by_some_letters(page: Page) -> None:
    page.goto("/")
    expect(page.get_by_role("navigation")).to_be_visible()
    page.keyboard.press("Control+k")
    field = page.get_by_role("combobox", name="Search and commands")
    expect(field).to_be_focused()
    field.press_sequentially("trgt")
    expect(page.get_by_role("option").first).to_contain_text("Targets")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Targets", level=1)).to_be_visible()


def test_letters_typed_into_a_field_stay_there(page: Page) -> None:
    page.goto("/alerts")
    field = page.get_by_label("Filter by text")
    field.press_sequentially("go ?")
    expect(field).to_have_value("go ?")
    expect(page.get_by_role("heading", name="Alerts", level=1)).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_question_mark_shows_the_shortcuts_and_escape_hides_them(page: Page) -> None:
    page.goto("/alerts")
    expect(page.get_by_role("heading", name="Alerts", level=1)).to_be_visible()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_rows_are_walked_with_j_and_k_and_opened_with_enter(page: Page) -> None:
    page.goto("/alerts?state=firing,pending,resolved")
    expect(page.get_by_test_id("alert").first).to_be_visible()
    page.keyboard.press("j")
    expect(page.get_by_test_id("alert").first).to_have_attribute("aria-current", "true")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("k")
    expect(page.get_by_test_id("alert").first).to_have_attribute("aria-current", "true")


def test_everything_on_the_way_shows_where_the_focus_is(page: Page) -> None:
    page.goto("/incidents")
    expect(page.get_by_role("heading", name="Incidents", level=1)).to_be_visible()
    for _ in range(12):
        page.keyboard.press("Tab")
        visible = page.evaluate(
            """() => {
                const style = getComputedStyle(document.activeElement);
                const border = document.activeElement.closest('.Mui-focused');
                return style.outlineStyle !== 'none' || border !== null
                    || document.activeElement === document.body;
            }"""
        )
        assert visible, page.evaluate("document.activeElement.outerHTML.slice(0, 200)")
