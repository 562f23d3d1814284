"""Functions of overlapping windows that carry over what the window before has found."""
