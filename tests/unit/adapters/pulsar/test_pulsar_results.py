"""What the Pulsar client's results mean, and what its settings refuse."""

from __future__ import annotations

import pulsar
import pytest
from pulsar.asyncio import PulsarException

from qvmon.adapters.pulsar import PulsarConfig
from qvmon.adapters.pulsar.results import error_of
from qvmon.model.errors import ErrorKind

Result = pulsar.Result


@pytest.mark.parametrize(
    ("result", "kind"),
    [
        (Result.MessageTooBig, ErrorKind.INVALID),
        (Result.TopicTerminated, ErrorKind.CONFLICT),
        (Result.ProducerQueueIsFull, ErrorKind.EXHAUSTED),
        (Result.ConnectError, ErrorKind.UNAVAILABLE),
        (Result.TopicNotFound, ErrorKind.UNAVAILABLE),
        (Result.AuthorizationError, ErrorKind.UNAVAILABLE),
        (Result.Timeout, ErrorKind.UNAVAILABLE),
    ],
)
def test_troubles_of_the_cluster_are_worth_waiting_and_troubles_of_a_message_are_not(
    result: Result, kind: ErrorKind
) -> None:
    error = error_of(PulsarException(result), "cannot publish on t")
    assert error.kind is kind
    assert error.message == f"cannot publish on t: {result.name}"


def test_an_address_that_is_no_brokers_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="pulsar"):
        PulsarConfig(service_url="http://127.0.0.1:8080")
