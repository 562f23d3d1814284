"""Collection: scrapes, receives, relabels, limits, and writes telemetry."""

from qvmon.services.collection.config import CollectionConfig
from qvmon.services.collection.own_metrics import OwnMetrics
from qvmon.services.collection.ports import FileStore, LocalMetrics, UnknownLog
from qvmon.services.collection.quotas import SenderStatus
from qvmon.services.collection.service import CollectionService
from qvmon.services.collection.views import DroppedTarget, Health, TargetStatus, TargetsView

__all__ = [
    "CollectionConfig",
    "CollectionService",
    "DroppedTarget",
    "FileStore",
    "Health",
    "LocalMetrics",
    "OwnMetrics",
    "SenderStatus",
    "TargetStatus",
    "TargetsView",
    "UnknownLog",
]
