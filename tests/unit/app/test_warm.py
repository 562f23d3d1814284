"""Every kernel is found."""

from __future__ import annotations

from pathlib import Path

import qvmon
from qvmon.app.warm import kernel_modules


def test_every_file_called_kernels_is_found() -> None:
    root = Path(qvmon.__file__).parent
    expected = {
        ".".join(("qvmon", *path.relative_to(root).with_suffix("").parts))
        for path in root.rglob("kernels.py")
    }
    assert set(kernel_modules()) == expected
    assert expected
