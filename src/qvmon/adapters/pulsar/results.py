"""What the Pulsar client's results mean: the one table."""

from __future__ import annotations

import pulsar
from pulsar.asyncio import PulsarException

from qvmon.model.errors import ErrorKind, QvmonError

_Result = pulsar.Result

_KINDS = {
    _Result.MessageTooBig: ErrorKind.INVALID,
    _Result.InvalidMessage: ErrorKind.INVALID,
    _Result.InvalidTopicName: ErrorKind.INVALID,
    _Result.InvalidUrl: ErrorKind.INVALID,
    _Result.InvalidConfiguration: ErrorKind.INVALID,
    _Result.IncompatibleSchema: ErrorKind.INVALID,
    _Result.TopicTerminated: ErrorKind.CONFLICT,
    _Result.ProducerQueueIsFull: ErrorKind.EXHAUSTED,
    _Result.MemoryBufferIsFull: ErrorKind.EXHAUSTED,
    _Result.ProducerBlockedQuotaExceededError: ErrorKind.EXHAUSTED,
    _Result.ProducerBlockedQuotaExceededException: ErrorKind.EXHAUSTED,
}
"""Results that say something about the message or about space.

All others (no broker, no such topic yet, a refused token) say something about the sink: it is
unavailable until somebody mends it, and messages wait.
"""

STILL_USABLE = frozenset(
    {
        _Result.MessageTooBig,
        _Result.InvalidMessage,
        _Result.ProducerQueueIsFull,
        _Result.MemoryBufferIsFull,
        _Result.Timeout,
    }
)
"""Results after which the producer goes on; after the others it is opened anew."""


def error_of(error: PulsarException, what: str) -> QvmonError:
    """Return the error that a result means; ``what`` says what was being done."""
    result = error.error()
    return QvmonError(
        _KINDS.get(result, ErrorKind.UNAVAILABLE), f"{what}: {result.name}", result=result.name
    )
