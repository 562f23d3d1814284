"""The nouns everything else speaks: frozen values, errors, the clock and the shared ports."""
