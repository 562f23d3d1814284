"""Who may come in, and what happens on the way."""

from __future__ import annotations

from uuid import uuid4

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import sign_in
from tests.servers.qvmon import PASSWORD, Qvmon

pytestmark = [pytest.mark.slow, pytest.mark.server("chromium")]


def fill_in(page: Page, login: str, password: str) -> None:
    page.get_by_label("User name").fill(login)
    page.locator("input[name=password]").fill(password)
    page.get_by_role("button", name="Sign in").click()


def test_a_wrong_password_is_refused_in_words(anonymous: Page) -> None:
    anonymous.goto("/")
    fill_in(anonymous, "admin", "not the password")
    expect(anonymous.get_by_role("alert")).to_contain_text("Wrong user name or password")


def test_signing_in_leads_to_the_page_that_was_asked_for(anonymous: Page) -> None:
    anonymous.goto("/incidents?status=all")
    fill_in(anonymous, "admin", PASSWORD)
    expect(anonymous.get_by_role("heading", name="Incidents")).to_be_visible()
    assert anonymous.url.endswith("/incidents?status=all")


def test_a_one_time_password_has_to_be_changed_before_anything_else(
    anonymous: Page, qvmon_server: Qvmon
) -> None:
    login = f"ada-{uuid4().hex[:6]}"
    qvmon_server.post("/users", login=login, password="one time only 1", roles=["viewer"])
    anonymous.goto("/alerts")
    fill_in(anonymous, login, "one time only 1")
    expect(anonymous.get_by_role("heading", name="Change password")).to_be_visible()
    expect(anonymous.get_by_role("navigation")).to_have_count(0)
    anonymous.locator("input[name=current]").fill("one time only 1")
    anonymous.locator("input[name=new]").fill("a much better phrase")
    anonymous.locator("input[name=again]").fill("a much better phrase")
    anonymous.get_by_role("button", name="Change password").click()
    expect(anonymous.get_by_role("navigation")).to_be_visible()
    expect(anonymous.get_by_role("button", name="User menu")).to_contain_text(login)


def test_signing_out_ends_the_session(context: BrowserContext) -> None:
    sign_in(context, "admin", PASSWORD)
    page = context.new_page()
    page.goto("/")
    page.get_by_role("button", name="User menu").click()
    page.get_by_role("menuitem", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    page.reload()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()


def test_a_session_that_ended_elsewhere_leads_back_to_sign_in(
    page: Page, context: BrowserContext
) -> None:
    page.goto("/alerts")
    expect(page.get_by_role("heading", name="Alerts")).to_be_visible()
    context.clear_cookies()
    page.keyboard.press("g")
    page.keyboard.press("i")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
