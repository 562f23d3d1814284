"""E-mail through a mail server."""

from typing import TYPE_CHECKING

from qvmon.adapters.smtp.config import SmtpConfig
from qvmon.model.front_door import opens_when_used

if TYPE_CHECKING:
    from qvmon.adapters.smtp.sink import SmtpSink
else:
    __getattr__ = opens_when_used(
        __name__,
        sink=("SmtpSink",),
    )

__all__ = ["SmtpConfig", "SmtpSink"]
