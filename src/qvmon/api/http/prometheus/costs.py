"""What a caller says about the cost of a query: our own parameters beside Prometheus'."""

from __future__ import annotations

from qvmon.api.http.prometheus.errors import bad_parameter
from qvmon.api.http.prometheus.parameters import Parameters
from qvmon.model.errors import invalid
from qvmon.stores.query import Priority, QueryLimits

_PRIORITIES = {"": Priority.DASHBOARDS, "analysis": Priority.ANALYSIS}


def asked_limits(asked: Parameters) -> QueryLimits:
    """Return the limits of ``max_samples``, ``max_series`` and ``max_bytes``.

    Raises:
        QvmonError: INVALID, for one that is no positive number.
    """
    return QueryLimits(
        samples=_positive(asked, "max_samples"),
        series=_positive(asked, "max_series"),
        bytes=_positive(asked, "max_bytes"),
    )


def asked_priority(asked: Parameters) -> Priority:
    """Return the priority of ``priority``: ``analysis``, or that of dashboards where it is absent.

    Raises:
        QvmonError: INVALID, for any other.
    """
    text = asked.text("priority")
    if text not in _PRIORITIES:
        raise bad_parameter("priority", invalid(f'there is "analysis", and no "{text}"'))
    return _PRIORITIES[text]


def _positive(asked: Parameters, name: str) -> int | None:
    text = asked.text(name)
    if not text:
        return None
    if not (text.isdecimal() and text.isascii() and int(text)):
        raise bad_parameter(name, invalid(f'"{text}" is no positive number'))
    return int(text)
