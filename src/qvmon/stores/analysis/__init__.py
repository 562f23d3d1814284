"""Heavy work in child processes, whose memory and crashes are their own."""

from qvmon.stores.analysis.config import AnalysisConfig
from qvmon.stores.analysis.process import AnalysisProcess
from qvmon.stores.analysis.queries import AnalysisQueries

__all__ = ["AnalysisConfig", "AnalysisProcess", "AnalysisQueries"]
