"""``qvsim``, also as ``python -m qvsim``."""

from qvsim.commands import app


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
