"""Secrets by reference."""

from __future__ import annotations

from pathlib import Path

import pytest

from qvmon.app.secrets import resolve
from qvmon.model.errors import QvmonError


def test_a_file_gives_its_content_without_the_line_end(tmp_path: Path) -> None:
    (tmp_path / "s").write_text("hush\n")
    assert resolve(f"file:{tmp_path / 's'}", "x") == "hush"


def test_the_environment_gives_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QVMON_TEST_SECRET", "hush")
    assert resolve("env:QVMON_TEST_SECRET", "x") == "hush"


def test_no_reference_is_no_secret() -> None:
    assert resolve("", "x") == ""


@pytest.mark.parametrize(
    ("reference", "complaint"),
    [
        ("env:QVMON_TEST_NOT_SET", "QVMON_TEST_NOT_SET is not set"),
        ("file:/nonexistent/secret", "cannot read /nonexistent/secret"),
        ("in-the-open", "env:NAME or file:PATH"),
    ],
)
def test_a_complaint_names_the_setting_and_never_the_secret(reference: str, complaint: str) -> None:
    with pytest.raises(QvmonError, match=f"smtp.password: .*{complaint}") as refused:
        resolve(reference, "smtp.password")
    assert "in-the-open" not in str(refused.value)
