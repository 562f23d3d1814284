"""TLS contexts from options."""

from __future__ import annotations

import ssl

from qvmon.model.errors import invalid
from qvmon.model.ports import TlsOptions


def tls_context(options: TlsOptions) -> ssl.SSLContext:
    """Return the context that ``options`` describe.

    Raises:
        QvmonError: INVALID, when a file cannot be read or is no certificate or key.
    """
    try:
        context = ssl.create_default_context(cafile=options.ca_file or None)
        if options.cert_file:
            context.load_cert_chain(options.cert_file, options.key_file)
    except (OSError, ssl.SSLError) as error:
        files = ", ".join(filter(None, (options.ca_file, options.cert_file, options.key_file)))
        raise invalid(f"TLS files cannot be used ({files}): {error}") from None
    if options.insecure_skip_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
