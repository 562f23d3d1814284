"""``qvmon ledger``: offline work on a ledger."""

from __future__ import annotations

from qvmon.app.house import PROJECTIONS
from qvmon.app.settings import Settings
from qvmon.model.errors import not_found
from qvmon.stores.ledger import Verification, ledger_url, open_engine, verify


def verify_offline(settings: Settings) -> Verification:
    """Return what verification found in the ledger that ``settings`` name.

    Raises:
        QvmonError: NOT_FOUND, when there is no ledger.
    """
    file = settings.data_dir / "ledger.sqlite"
    if not settings.ledger.url and not file.exists():
        raise not_found(f"there is no ledger at {file}", file=str(file))
    engine = open_engine(ledger_url(settings.ledger, settings.data_dir), read_only=True)
    try:
        return verify(engine, PROJECTIONS)
    finally:
        engine.dispose()
