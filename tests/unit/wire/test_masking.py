"""What is shown of a configuration."""

from __future__ import annotations

import pytest

from qvmon.wire.masking import without_secrets
from qvmon.wire.yaml_document import YamlDocument

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
    shown = masked(TEXT)
    assert "hush" not in shown
    assert shown.count("'***'") == 3
    assert shown.replace("'***'", "hush") == TEXT


def test_what_is_shown_can_be_read_again() -> None:
    job = YamlDocument(masked(TEXT), "p.yml").value["scrape_configs"][0]
    assert job["basic_auth"] == {"username": "u", "password": "***"}
    assert job["http_headers"]["X-Key"] == {"secrets": ["***", "***"], "values": ["open"]}


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("token: |\n  hush\n  hush\n\n# after\nurl: u\n", "token: '***'\n\n# after\nurl: u\n"),
        ("token: 'hush'  # why\n", "token: '***'  # why\n"),
        ("token: &word hush\nurl: *word\n", "token: &word '***'\nurl: *word\n"),
        ("url: &word hush\ntoken: *word\n", "url: &word '***'\ntoken: *word\n"),
        ("token:\nurl: u\n", "token:\nurl: u\n"),
    ],
)
def test_however_a_secret_is_written_it_is_hidden(written: str, shown: str) -> None:
    assert masked(written) == shown


def test_an_empty_document_stays_empty() -> None:
    assert masked("") == ""


def masked(text: str) -> str:
    return without_secrets(YamlDocument(text, "p.yml"))
