"""Compiling every kernel while somebody watches."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from qvmon.app.warm import kernel_modules, warm


def warm_visibly() -> None:
    """Compile every kernel, showing on standard error how far it has come."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True)) as progress:
        task = progress.add_task("compiling kernels", total=len(kernel_modules()))

        def told(module: str) -> None:
            short = module.removeprefix("qvmon.").removesuffix(".kernels")
            progress.update(task, description=f"compiling kernels: {short}")
            progress.advance(task)

        warm(told)
        progress.update(task, description="kernels are compiled")
