"""``qvmon`` and ``python -m qvmon``."""

from qvmon.app.command import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
