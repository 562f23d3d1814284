"""From a firing alert to a resolved incident, by hand in the browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from uuid import uuid4

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import sign_in
from tests.servers import wait_until
from tests.servers.qvmon import Qvmon, Qvsim

ALERT = "OrderAcknowledgementSlow"
SLOW_MS = 60_000
pytestmark = [pytest.mark.slow, pytest.mark.server("chromium"), pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def trouble(qvmon_server: Qvmon, platform: Qvsim) -> Iterator[None]:
    """Trade execution suffers from latency, and an incident is open because of it."""
    platform.command("fault", "set", "trade-execution", "latency", "--factor", "60")
    wait_until(lambda: bool(open_incidents(qvmon_server)), "an open incident", seconds=90)
    yield
    platform.command("fault", "clear", "trade-execution", "latency")
    wait_until(lambda: not open_incidents(qvmon_server), "no open incident", seconds=90)


def open_incidents(server: Qvmon) -> list[dict[str, object]]:
    incidents: list[dict[str, object]] = server.get("/incidents")["incidents"]
    return [each for each in incidents if each["status"] != "resolved"]


def test_an_incident_is_worked_on_from_the_alert_to_its_end(
    page: Page, trouble: None, qvmon_server: Qvmon
) -> None:
    page.goto("/")
    card = page.locator('[data-workflow="trade-execution"]')
    expect(card).to_have_attribute("data-status", "critical", timeout=SLOW_MS)

    page.get_by_role("link", name="Alerts").first.click()
    rule = page.locator(f'[data-rule="{ALERT}"]')
    expect(rule.get_by_test_id("alert").first).to_have_attribute("data-state", "firing")
    rule.get_by_test_id("alert").first.click()
    drawer = page.get_by_role("dialog")
    expect(drawer.get_by_role("img", name="Chart of 1 series")).to_be_visible()
    expect(drawer.get_by_test_id("stages")).to_contain_text("decided")
    runbook = drawer.get_by_role("link", name="Runbook")
    expect(runbook).to_have_attribute("href", "https://runbooks.example.org/order-acknowledgement")
    drawer.get_by_role("link", name="Incident").click()

    stepper = page.get_by_test_id("stepper")
    expect(stepper).to_have_attribute("data-status", "open")
    expect(page.get_by_role("region", name=f"Chart of {ALERT}").locator("canvas")).to_be_visible()
    page.keyboard.press("a")
    expect(stepper).to_have_attribute("data-status", "acknowledged")
    entry = page.get_by_test_id("entry")
    expect(entry.and_(page.locator('[data-type="incident.acknowledged"]'))).to_be_visible()

    page.keyboard.press("c")
    comment = page.get_by_role("textbox", name="Comment")
    expect(comment).to_be_focused()
    comment.fill("The gateway's send queue is full.")
    page.keyboard.press("Control+Enter")
    said = entry.and_(page.locator('[data-type="incident.commented"]'))
    expect(said).to_contain_text("The gateway's send queue is full.")
    expect(comment).to_have_value("")

    page.get_by_role("button", name="Take it").click()
    expect(page.get_by_role("textbox", name="Assignee")).to_have_value("admin")
    page.get_by_role("combobox", name="Severity").click()
    page.get_by_role("option", name="warning").click()
    page.get_by_label("Why (optional)").fill("Only one venue")
    page.get_by_role("button", name="Change").click()
    changed = entry.and_(page.locator('[data-type="incident.severity_changed"]'))
    expect(changed).to_contain_text("Only one venue")

    page.get_by_role("button", name="Resolve", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Resolve").click()
    expect(stepper).to_have_attribute("data-status", "resolved")
    page.get_by_role("button", name="Re-open").click()
    page.get_by_label("Why (optional)").fill("It is not over")
    page.get_by_role("dialog").get_by_role("button", name="Re-open").click()
    expect(stepper).not_to_have_attribute("data-status", "resolved")

    incident_id = page.url.rsplit("/", 1)[1]
    facts = [each["type"] for each in _timeline(qvmon_server, incident_id)]
    acts = ["acknowledged", "commented", "assigned", "severity_changed", "resolved", "reopened"]
    wanted = [f"incident.{act}" for act in acts]
    assert [each for each in facts if each in wanted] == wanted


def _timeline(server: Qvmon, incident_id: str) -> list[dict[str, str]]:
    entries: list[dict[str, str]] = server.get(f"/incidents/{incident_id}/timeline")["entries"]
    return entries


def test_a_change_by_somebody_else_appears_by_itself(
    page: Page, trouble: None, qvmon_server: Qvmon
) -> None:
    """The event stream renews the page: it is not reloaded, and polls only each 15 seconds."""
    incident_id = open_incidents(qvmon_server)[0]["incident_id"]
    page.goto(f"/incidents/{incident_id}")
    expect(page.get_by_test_id("live")).to_have_attribute("data-state", "live")
    qvmon_server.post(f"/incidents/{incident_id}/comment", text="From another desk")
    expect(page.get_by_text("From another desk")).to_be_visible(timeout=5_000)


def test_a_viewer_sees_an_incident_and_cannot_act(
    context: BrowserContext, trouble: None, qvmon_server: Qvmon
) -> None:
    login = f"viewer-{uuid4().hex[:6]}"
    qvmon_server.post("/users", login=login, password="one time only 1", roles=["viewer"])
    sign_in(context, login, "one time only 1")
    changed = context.request.post(
        "/api/qvmon/v1/session/password",
        data={"current": "one time only 1", "new": "a much better phrase"},
        headers={"X-Qvmon-Request": "1"},
    )
    assert changed.ok, changed.text()
    page = context.new_page()
    page.goto(f"/incidents/{open_incidents(qvmon_server)[0]['incident_id']}")
    expect(page.get_by_test_id("entry").first).to_be_visible()
    expect(page.get_by_role("button", name="Resolve", exact=True)).to_be_disabled()
    expect(page.get_by_role("textbox", name="Assignee")).to_be_disabled()
    expect(page.get_by_role("textbox", name="Comment")).to_have_count(0)
    page.keyboard.press("r")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_refused_act_is_said_and_taken_back(
    page: Page, trouble: None, qvmon_server: Qvmon
) -> None:
    incident_id = open_incidents(qvmon_server)[0]["incident_id"]
    page.goto(f"/incidents/{incident_id}")
    stepper = page.get_by_test_id("stepper")
    before = stepper.get_attribute("data-status")
    body = '{"error": {"kind": "conflict", "message": "Somebody was faster."}}'
    page.route(
        "**/resolve",
        lambda route: route.fulfill(status=409, body=body, content_type="application/json"),
    )
    page.get_by_role("button", name="Resolve", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Resolve").click()
    expect(page.get_by_role("alert").first).to_contain_text("Somebody was faster.")
    expect(stepper).to_have_attribute("data-status", before or "")


def test_filters_by_label_are_part_of_the_address(page: Page, trouble: None) -> None:
    page.goto("/alerts")
    page.get_by_role("button", name="Filter by workflow trade-execution").first.click()
    expect(page).to_have_url(re.compile(r"/alerts\?label=workflow%3Dtrade-execution$"))
    page.reload()
    rules = page.get_by_test_id("rule")
    expect(rules).to_have_count(1)
    expect(rules).to_contain_text(ALERT)


def test_a_pending_alert_shows_how_long_it_still_has(page: Page) -> None:
    page.goto("/alerts?state=pending")
    row = page.locator('[data-rule="NobodyThere"]').get_by_test_id("alert")
    expect(row).to_contain_text("fires in")
    expect(row.get_by_role("progressbar")).to_be_visible()
