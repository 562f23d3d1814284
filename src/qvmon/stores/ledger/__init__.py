"""The ledger: facts in hash chains, projections folded from them, cursors, verification."""

from typing import TYPE_CHECKING

from qvmon.model.front_door import opens_when_used
from qvmon.stores.ledger.config import LedgerConfig

if TYPE_CHECKING:
    from qvmon.stores.ledger.database import ledger_url, open_engine
    from qvmon.stores.ledger.store import LedgerStore
    from qvmon.stores.ledger.verification import Finding, Verification, verify
else:
    __getattr__ = opens_when_used(
        __name__,
        database=("ledger_url", "open_engine"),
        store=("LedgerStore",),
        verification=("Finding", "Verification", "verify"),
    )

__all__ = [
    "Finding",
    "LedgerConfig",
    "LedgerStore",
    "Verification",
    "ledger_url",
    "open_engine",
    "verify",
]
