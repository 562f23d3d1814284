"""The overview: how the platform stands, live."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.servers.qvmon import Qvmon

WORKFLOWS = (
    "market-data-ingestion",
    "trading-decision",
    "trade-execution",
    "portfolio-coordination",
)
pytestmark = [pytest.mark.slow, pytest.mark.server("chromium")]


def test_every_workflow_stands_there_with_a_reason(page: Page) -> None:
    page.goto("/")
    for workflow in WORKFLOWS:
        card = page.locator(f'[data-workflow="{workflow}"]')
        expect(card).to_be_visible()
        expect(card.get_by_test_id("service").first).to_contain_text("up")


def test_what_does_not_answer_is_worst_and_first(page: Page) -> None:
    page.goto("/")
    first = page.get_by_test_id("workflow").first
    expect(first).to_have_attribute("data-status", "critical")
    expect(first).to_contain_text("down")
    expect(first).to_contain_text("0/1 up")


def test_services_show_their_last_minutes(page: Page) -> None:
    page.goto("/")
    chart = page.locator('[data-workflow="trade-execution"]').get_by_role("img", name="Traffic of")
    expect(chart.locator("canvas")).to_be_visible()
    expect(page.get_by_role("img", name="p95 of").first).to_be_visible()


def test_the_stream_is_open_and_its_loss_is_said(page: Page, qvmon_server: Qvmon) -> None:
    page.goto("/")
    live = page.get_by_test_id("live")
    expect(live).to_have_attribute("data-state", "live")
    expect(page.get_by_test_id("overall")).to_be_visible()
    qvmon_server.kill()
    try:
        expect(live).to_have_attribute("data-state", "lost")
        expect(page.get_by_text("Event stream lost")).to_be_visible()
    finally:
        qvmon_server.start()
    expect(live).to_have_attribute("data-state", "live", timeout=45_000)
    expect(page.get_by_text("Event stream lost")).to_have_count(0)


def test_the_theme_is_remembered(page: Page) -> None:
    page.goto("/")
    background = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(background)
    page.get_by_role("button", name="User menu").click()
    page.get_by_role("menuitemradio", name="Light").click()
    page.wait_for_function(f"{background} !== '{dark}'")
    light = page.evaluate(background)
    page.reload()
    expect(page.get_by_test_id("overall")).to_be_visible()
    assert page.evaluate(background) == light
