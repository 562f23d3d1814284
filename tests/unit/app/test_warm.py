"""Every kernel is found, and a warm installation is known."""

from __future__ import annotations

from pathlib import Path

import pytest

import qvmon
from qvmon.app import warm


def test_every_file_called_kernels_is_found() -> None:
    root = Path(qvmon.__file__).parent
    expected = {
        ".".join(("qvmon", *path.relative_to(root).with_suffix("").parts))
        for path in root.rglob("kernels.py")
    }
    assert set(warm.kernel_modules()) == expected
    assert expected


def test_an_installation_is_warm_once_all_was_compiled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warm, "cache_directory", lambda: tmp_path)
    monkeypatch.setattr(warm, "kernel_modules", lambda: ("qvmon.tsdb.log.kernels",))
    told: list[str] = []
    assert not warm.is_warm()
    warm.warm(told.append)
    assert warm.is_warm()
    assert told == ["qvmon.tsdb.log.kernels"]
