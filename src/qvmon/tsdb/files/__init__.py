"""The names of files, and how they are written so that a crash leaves them whole."""
