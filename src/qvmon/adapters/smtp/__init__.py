"""E-mail through a mail server."""

from qvmon.adapters.smtp.config import SmtpConfig
from qvmon.adapters.smtp.sink import SmtpSink

__all__ = ["SmtpConfig", "SmtpSink"]
