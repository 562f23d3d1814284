"""``python -m qvmon.stores.analysis MEMORY_BYTES NICENESS PARENT``: started by its parent only."""

from __future__ import annotations

import sys

from qvmon.stores.analysis.worker import run

if __name__ == "__main__":
    run(*map(int, sys.argv[1:]))
