"""Windows with values at their very edges: the modifiers ``anchored`` and ``smoothed``."""
