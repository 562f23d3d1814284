"""Compiling every kernel once, so that processes find machine code when they need it."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Callable, Iterator
from importlib.machinery import ModuleSpec
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from qvmon.model.compiled import cache_directory, kernels_of


def kernel_modules(package: str = "qvmon") -> tuple[str, ...]:
    """Return the names of all modules called ``kernels``, found without importing any."""
    return tuple(sorted(_kernels_below(package, find_spec(package))))


def _kernels_below(name: str, spec: ModuleSpec | None) -> Iterator[str]:
    for place in (spec and spec.submodule_search_locations) or ():
        for found in pkgutil.iter_modules([place]):
            full = f"{name}.{found.name}"
            if found.name == "kernels":
                yield full
            elif found.ispkg:
                inner = Path(place) / found.name
                below = ModuleSpec(full, None, is_package=True)
                below.submodule_search_locations = [str(inner)]
                yield from _kernels_below(full, below)


def is_warm() -> bool:
    """Return whether ``warm`` has once ended for this version of everything."""
    return _stamp().exists()


def warm(told: Callable[[str], None]) -> None:
    """Find or make the machine code of every kernel.

    Args:
        told: Called with each module's name before its turn.
    """
    for module in kernel_modules():
        told(module)
        for each in kernels_of(importlib.import_module(module)):
            each.load()
    _stamp().touch()


def _stamp() -> Path:
    versions = (version("quantivista-monitoring"), version("numba"), sys.implementation.cache_tag)
    return cache_directory() / f"kernels-{'-'.join(versions)}.warm"
