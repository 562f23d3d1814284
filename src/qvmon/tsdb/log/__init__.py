"""The write-ahead log: what was acknowledged and is not in blocks yet."""
