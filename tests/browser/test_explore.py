"""The metric explorer: ask, see, share by address."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.servers import wait_until
from tests.servers.qvmon import Qvmon

pytestmark = [pytest.mark.slow, pytest.mark.server("chromium")]


def ask(page: Page, query: str, letter: str = "A") -> None:
    editor = page.get_by_role("textbox", name=f"Query {letter}")
    editor.click()
    page.keyboard.press("Control+a")
    page.keyboard.type(query)
    page.keyboard.press("Escape")
    editor.click()
    page.keyboard.press("Control+Enter")


@pytest.fixture(autouse=True, scope="module")
def drawn(qvmon_server: Qvmon) -> None:
    """Wait until the first samples are old enough to stand on a step of the chart."""
    wait_until(
        lambda: len(qvmon_server.query('up{job="qvsim"} offset 30s')) == 4,
        "the platform has been watched for half a minute",
    )


def test_a_query_is_drawn_and_kept_in_the_address(page: Page) -> None:
    page.goto("/explore")
    ask(page, 'up{job="qvsim"}')
    expect(page.get_by_role("img", name="Chart of 4 series").locator("canvas")).to_be_visible()
    expect(page).to_have_url(re.compile(r"expr=up%7Bjob%3D%22qvsim%22%7D"))
    page.reload()
    expect(page.get_by_role("img", name="Chart of 4 series")).to_be_visible()
    expect(page.get_by_role("textbox", name="Query A")).to_have_text('up{job="qvsim"}')


def test_a_mistake_is_shown_in_words_and_in_place(page: Page) -> None:
    page.goto("/explore?expr=" + "sum(rate(up[5m])) by")
    expect(page.get_by_test_id("query-error")).to_contain_text("parse error")
    expect(page.locator(".cm-lintRange-error, .cm-lintPoint-error").first).to_be_attached()


def test_what_the_engine_notes_about_a_result_is_shown(page: Page) -> None:
    page.goto("/explore?expr=rate(process_resident_memory_bytes[1m])")
    notes = page.get_by_role("list", name="Notes").get_by_role("listitem")
    expect(notes).to_contain_text(["metric might not be a counter"])


def test_names_are_completed_from_the_server(page: Page) -> None:
    page.goto("/explore")
    page.get_by_role("textbox", name="Query A").click()
    page.keyboard.type("qv_execution_ord", delay=20)
    choice = page.get_by_role("option", name=re.compile("qv_execution_orders_total"))
    expect(choice).to_be_visible()
    choice.click()
    expect(page.get_by_role("textbox", name="Query A")).to_have_text("qv_execution_orders_total")


def test_the_legend_hides_a_series_and_shows_it_alone(page: Page) -> None:
    page.goto('/explore?expr=up{job="qvsim"}')
    rows = page.get_by_role("group", name="Legend").get_by_role("button")
    expect(rows).to_have_count(4)
    rows.nth(1).click()
    expect(rows.nth(1)).to_have_attribute("aria-pressed", "false")
    rows.nth(2).click(modifiers=["Control"])
    pressed = [row.get_attribute("aria-pressed") for row in rows.all()]
    assert pressed == ["false", "false", "true", "false"]


def test_several_queries_share_one_chart(page: Page) -> None:
    page.goto('/explore?expr=count(up{job="qvsim"})')
    page.get_by_role("button", name="Add query").click()
    ask(page, 'sum(up{job="qvsim"})', "B")
    expect(page.get_by_role("img", name="Chart of 2 series")).to_be_visible()
    page.get_by_role("button", name="Remove query A").click()
    expect(page.get_by_role("img", name="Chart of 1 series")).to_be_visible()
    expect(page.get_by_role("textbox", name="Query A")).to_have_text('sum(up{job="qvsim"})')


def test_the_table_shows_values_and_labels(page: Page) -> None:
    page.goto('/explore?expr=up{job="qvsim"}&view=table')
    table = page.get_by_role("table", name="Result of query A")
    expect(table.get_by_role("row")).to_have_count(5)
    expect(table.get_by_role("columnheader", name="workflow")).to_be_visible()


def test_range_and_step_are_part_of_the_address(page: Page) -> None:
    page.goto("/explore?expr=up&range=15m&step=30s")
    expect(page.get_by_role("combobox", name="Range")).to_have_text("15m")
    expect(page.get_by_role("combobox", name="Step")).to_have_text("30s")
    page.get_by_role("button", name="Earlier").click()
    expect(page).to_have_url(re.compile(r"end=\d+"))
