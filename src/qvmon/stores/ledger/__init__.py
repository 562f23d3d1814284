"""The ledger: facts in hash chains, projections folded from them, cursors, verification."""

from qvmon.stores.ledger.config import LedgerConfig
from qvmon.stores.ledger.database import ledger_url, open_engine
from qvmon.stores.ledger.store import LedgerStore
from qvmon.stores.ledger.verify import Finding, Verification, verify

__all__ = [
    "Finding",
    "LedgerConfig",
    "LedgerStore",
    "Verification",
    "ledger_url",
    "open_engine",
    "verify",
]
