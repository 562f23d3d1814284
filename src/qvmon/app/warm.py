"""Compiling every kernel once, so that later starts find machine code."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn


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


def warm() -> None:
    """Import, and by that compile, every kernel module, showing how far it has come."""
    modules = kernel_modules()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn()) as progress:
        task = progress.add_task("compiling kernels", total=len(modules))
        for module in modules:
            short = module.removeprefix("qvmon.").removesuffix(".kernels")
            progress.update(task, description=f"compiling kernels: {short}")
            importlib.import_module(module)
            progress.advance(task)
        progress.update(task, description="kernels are compiled")
