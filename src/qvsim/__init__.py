"""qvsim: a simulated trading platform for qvmon to watch, with faults to inject."""
