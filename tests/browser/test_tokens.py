"""Tokens for programs: made, used and ended where people are."""

from __future__ import annotations

from uuid import uuid4

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.servers.qvmon import Qvmon

pytestmark = [pytest.mark.slow, pytest.mark.server("chromium")]


def test_a_token_is_made_shown_once_used_and_revoked(page: Page, qvmon_server: Qvmon) -> None:
    name = f"grafana-{uuid4().hex[:6]}"
    page.goto("/")
    page.get_by_role("button", name="User menu").click()
    page.get_by_role("menuitem", name="API tokens").click()
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Create token").click()
    secret = page.get_by_test_id("secret").locator("code").inner_text().strip()
    row = page.get_by_role("table", name="API tokens").get_by_role("row", name=name)
    expect(row).to_contain_text("viewer")
    assert _status(qvmon_server, secret) == 200
    page.reload()
    expect(row).to_be_visible()
    expect(page.get_by_test_id("secret")).to_have_count(0)
    row.get_by_role("button", name=f"Revoke {name}").click()
    expect(row).to_have_count(0)
    assert _status(qvmon_server, secret) == 401


def test_what_is_wrong_with_a_token_is_said_in_words(page: Page) -> None:
    page.goto("/tokens")
    page.get_by_label("Name").fill("twice")
    page.get_by_role("button", name="Create token").click()
    expect(page.get_by_test_id("secret")).to_be_visible()
    page.get_by_label("Name").fill("twice")
    page.get_by_role("button", name="Create token").click()
    expect(page.get_by_text("you have a token 'twice' already")).to_be_visible()


def _status(server: Qvmon, secret: str) -> int:
    headers = {"Authorization": f"Bearer {secret}"}
    answer = httpx.get(f"{server.url}/api/v1/query?query=up", headers=headers, trust_env=False)
    return answer.status_code
