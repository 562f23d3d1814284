"""Targets and the modules they stand for."""

from __future__ import annotations

import pytest

from qvmon.app.targets import MODULES, TARGETS, modules_of
from qvmon.model.errors import QvmonError


@pytest.mark.parametrize("target", TARGETS)
def test_a_module_comes_after_what_it_needs(target: str) -> None:
    ordered = modules_of([target])
    for place, module in enumerate(ordered):
        assert set(MODULES[module]) <= set(ordered[:place])


def test_all_runs_every_module() -> None:
    assert set(modules_of(["all"])) == set(MODULES)


def test_each_module_runs_once() -> None:
    ordered = modules_of(["alerting", "collection", "all"])
    assert len(ordered) == len(set(ordered))


def test_an_unknown_target_is_refused_with_the_known_ones() -> None:
    with pytest.raises(QvmonError, match=r"unknown target 'colection'; known are .*collection"):
        modules_of(["colection"])
