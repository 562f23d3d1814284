"""A sink in memory, for tests of distribution."""

from __future__ import annotations

from collections.abc import Iterable

from qvmon.model.errors import QvmonError
from qvmon.services.distribution import Message, Receipt


class MemorySink:
    """Keeps what it took; answers as told, and takes everything once it was told no more.

    Args:
        answers: What each coming attempt meets: an error, or None for success.
    """

    def __init__(self, answers: Iterable[QvmonError | None] = ()) -> None:
        self.taken: list[Message] = []
        self.attempts: list[Message] = []
        self.away: QvmonError | None = None
        self._answers = list(answers)

    def will_answer(self, *answers: QvmonError | None) -> None:
        """Meet the next attempts with ``answers``."""
        self._answers.extend(answers)

    async def send(self, message: Message) -> Receipt:
        """Take ``message``, or raise the error whose turn it is."""
        self.attempts.append(message)
        error = self._answers.pop(0) if self._answers else self.away
        if error is not None:
            raise error
        self.taken.append(message)
        return Receipt(f"taken {len(self.taken)}")
