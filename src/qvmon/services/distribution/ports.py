"""What distribution needs from others."""

from __future__ import annotations

from typing import Protocol

from qvmon.services.distribution.message import Message, Receipt


class Sink(Protocol):
    """A place outside that takes messages: a webhook, a mail server, a topic."""

    async def send(self, message: Message) -> Receipt:
        """Return once the sink has taken responsibility for ``message``.

        Ends within a time of its own choosing. The delivery id travels with the message.

        Raises:
            QvmonError: UNAVAILABLE, TIMEOUT or EXHAUSTED when another attempt may help (its
                context may hold ``retry_after_seconds``, and ``maybe_arrived`` when the message
                may have been taken all the same); any other kind when none will.
        """
        ...


class Jitter(Protocol):
    """Where randomness comes from."""

    def random(self) -> float:
        """Return a number from 0 up to 1."""
        ...
