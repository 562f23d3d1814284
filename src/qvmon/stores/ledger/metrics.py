"""What the ledger says about itself."""

from __future__ import annotations

from qvmon.model.metrics import counter, gauge, histogram

FACTS = counter("qvmon_ledger_facts_total", "Facts appended, by type.", "type")
APPEND_SECONDS = histogram(
    "qvmon_ledger_append_seconds",
    "Time from handing facts over to their surviving a crash.",
    (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5),
)
CONFLICTS = counter("qvmon_ledger_append_errors_total", "Appends refused, by kind.", "kind")
LAST_SEQUENCE = gauge("qvmon_ledger_last_sequence", "Number of this writer's last fact.")
