"""Facts on their way into the ledger: those that wait for one append share the next."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from qvmon.model.clock import give_way
from qvmon.model.facts import FactDraft
from qvmon.model.ledger import Consumed, Ledger


@dataclass(slots=True)
class _Entry:
    drafts: Sequence[FactDraft]
    consumed: Consumed | None
    is_written: bool = False
    error: BaseException | None = None


class Journal:
    """One consumer's facts and cursor, appended in the order they were recorded.

    Args:
        ledger: Where they go.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._waiting: list[_Entry] = []
        self._writing = asyncio.Lock()

    async def record(self, drafts: Sequence[FactDraft], consumed: Consumed | None = None) -> None:
        """Return once ``drafts`` and the cursor are durable.

        Raises:
            QvmonError: As the ledger's ``append``; nothing of this append was kept then.
        """
        entry = _Entry(drafts, consumed)
        self._waiting.append(entry)
        async with self._writing:
            await give_way()  # whoever is about to record something may share the append
            if not entry.is_written and entry.error is None:
                await self._write()
        if entry.error is not None:
            raise entry.error

    async def _write(self) -> None:
        entries, self._waiting = self._waiting, []
        drafts = [draft for entry in entries for draft in entry.drafts]
        cursors = [entry.consumed for entry in entries if entry.consumed is not None]
        try:
            await self._ledger.append(drafts, consumed=cursors[-1] if cursors else None)
        except BaseException as error:
            for entry in entries:
                entry.error = error
            raise
        for entry in entries:
            entry.is_written = True
