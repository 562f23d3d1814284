"""Queries answered by child processes: a view for the child, and its result from there."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.ports import Allowance
from qvmon.model.series import Selection
from qvmon.promql import Result
from qvmon.stores.analysis.messages import Evaluate
from qvmon.stores.analysis.process import AnalysisProcess
from qvmon.stores.query.apart import Answer, Question
from qvmon.stores.query.budget import Budget
from qvmon.stores.query.result_files import read_result
from qvmon.tsdb.block.samples import DamagedBlockError
from qvmon.tsdb.files.paths import ViewPaths


class Views(Protocol):
    """Gives views of what is stored; ``stores.telemetry``."""

    def view(
        self, selections: Sequence[Selection], allowance: Allowance, /
    ) -> AbstractContextManager[Path]:
        """Give a directory of what selections need, which is there while the context lasts."""
        ...

    def set_aside(self, damage: DamagedBlockError, /) -> bool:
        """Quarantine a block found damaged in a view; return whether it was there still."""
        ...


class AnalysisQueries:
    """Has questions answered by child processes (``stores.query.Apart``).

    Args:
        views: Where the samples come from.
        process: The children.
    """

    def __init__(self, views: Views, process: AnalysisProcess) -> None:
        self._views = views
        self._process = process

    def evaluate(
        self, question: Question, selections: Sequence[Selection], budget: Budget
    ) -> tuple[Answer, Result]:
        """Return the result of a question; a damaged block is quarantined, and the rest answered.

        Raises:
            QvmonError: As evaluation and ``budget`` do; EXHAUSTED when the child has too little
                memory, UNAVAILABLE when it died.
        """
        while True:
            try:
                return self._evaluated(question, selections, budget)
            except DamagedBlockError as damage:
                if not self._views.set_aside(damage):
                    raise

    def _evaluated(
        self, question: Question, selections: Sequence[Selection], budget: Budget
    ) -> tuple[Answer, Result]:
        with self._views.view(selections, budget) as directory:
            task = Evaluate(str(directory.resolve()), question)
            done = self._process.carry_out(task, budget.check)
            if done.answer is None:
                raise QvmonError(ErrorKind.INTERNAL, "the analysis process answered nothing")
            return done.answer, read_result(ViewPaths(directory).result)
