"""The newest samples of every series, in memory; the log has them too."""
