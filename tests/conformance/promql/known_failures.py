"""Cases of Prometheus' scripts that qvmon answers otherwise, each with the reason.

The list is strict: a case that starts to pass must be taken out.
"""

from __future__ import annotations

KNOWN: dict[str, dict[int, str]] = {}
"""File to line of the ``eval`` to reason."""

KNOWN_SERVED: dict[str, dict[int, str]] = {}
"""The same of cases put to a running qvmon over HTTP."""
