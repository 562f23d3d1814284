"""Reading requests about series that a store knows already, without looking their labels up."""

from qvmon.wire.remote_write.recognition.memory import SeriesMemory

__all__ = ["SeriesMemory"]
