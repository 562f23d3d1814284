"""Opens, classifies and closes incidents; keeps their timeline in the ledger."""

from qvmon.services.incidents.config import IncidentsConfig
from qvmon.services.incidents.projections import PROJECTIONS
from qvmon.services.incidents.service import IncidentsService

__all__ = ["PROJECTIONS", "IncidentsConfig", "IncidentsService"]
