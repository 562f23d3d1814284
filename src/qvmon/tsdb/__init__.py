"""The metrics engine: write-ahead log, head, blocks, index, select; local files only, no clock."""
