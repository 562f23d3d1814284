"""What a package offers is imported when it is used."""

from __future__ import annotations

import subprocess
import sys

import pytest

from qvmon.model.front_door import opens_when_used


def test_a_name_is_found_in_its_module() -> None:
    found = opens_when_used("qvmon.model", clock=("SystemClock",))
    from qvmon.model.clock import SystemClock

    assert found("SystemClock") is SystemClock


def test_another_name_is_no_attribute() -> None:
    found = opens_when_used("qvmon.model", clock=("SystemClock",))
    with pytest.raises(AttributeError, match=r"module 'qvmon\.model' has no attribute 'Sundial'"):
        found("Sundial")


def test_a_name_may_not_be_its_modules_which_would_hide_it() -> None:
    with pytest.raises(ValueError, match=r"qvmon\.model\.clock hides the name it defines"):
        opens_when_used("qvmon.model", clock=("clock",))


def test_settings_are_read_without_a_database() -> None:
    """Starts are quick because what the ledger alone needs is imported with it."""
    program = "import sys, qvmon.app.settings; sys.exit('sqlalchemy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
