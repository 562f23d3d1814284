"""Opening a directory, after a crash or not: blocks and log back into memory."""
