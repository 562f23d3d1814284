"""Opens, classifies and closes incidents; keeps their timeline in the ledger."""

from typing import TYPE_CHECKING

from qvmon.model.front_door import opens_when_used
from qvmon.services.incidents.config import IncidentsConfig

if TYPE_CHECKING:
    from qvmon.services.incidents.projections import PROJECTIONS
    from qvmon.services.incidents.service import IncidentsService
else:
    __getattr__ = opens_when_used(
        __name__,
        projections=("PROJECTIONS",),
        service=("IncidentsService",),
    )

__all__ = ["PROJECTIONS", "IncidentsConfig", "IncidentsService"]
