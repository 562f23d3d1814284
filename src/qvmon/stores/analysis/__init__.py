"""Heavy work in a child process, whose memory and crashes are its own."""

from qvmon.stores.analysis.config import AnalysisConfig
from qvmon.stores.analysis.process import AnalysisProcess

__all__ = ["AnalysisConfig", "AnalysisProcess"]
