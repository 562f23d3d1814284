"""What is shown of a configuration."""

from __future__ import annotations

from qvmon.wire.masking import without_secrets

TEXT = """\
# the desk's own
scrape_configs:
- job_name: a
  basic_auth: {username: u, password: hush}
  http_headers:
    X-Key:
      secrets: [hush, hush]
      values: [open]
  password_file: /etc/word   # a place, not a secret
"""


def test_secrets_are_replaced_and_all_else_stays() -> None:
    shown = without_secrets(TEXT)
    assert "hush" not in shown
    assert shown.count("***") == 3
    assert shown.replace('"***"', "hush").replace("'***'", "hush").replace("***", "hush") == TEXT


def test_an_empty_document_stays_empty() -> None:
    assert without_secrets("") == ""
