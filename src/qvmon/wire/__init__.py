"""Codecs, one file a protocol or file format: bytes to nouns and back. Pure."""
