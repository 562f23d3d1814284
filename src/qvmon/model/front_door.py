"""Front doors that open when somebody enters: a package's names, imported when they are used.

A room's settings are read at every start, its service is needed later or never; so what its front
door offers is imported name by name (PEP 562).
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module


def opens_when_used(package: str, **modules: tuple[str, ...]) -> Callable[[str], object]:
    """Return the ``__getattr__`` of ``package``, which imports a name's module when asked for it.

    Args:
        package: Its ``__name__``.
        modules: The names that each of its modules defines.

    Raises:
        ValueError: A module is called like a name: once imported, it would be what is found.
    """
    for module in modules:
        if any(module in names for names in modules.values()):
            raise ValueError(f"{package}.{module} hides the name it defines")
    homes = {name: module for module, names in modules.items() for name in names}

    def found(name: str) -> object:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(f"{package}.{homes[name]}"), name)

    return found
