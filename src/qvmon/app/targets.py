"""Which parts run for which target: a table of modules and what each needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from qvmon.model.errors import invalid

ALL = "all"

MODULES: Mapping[str, tuple[str, ...]] = {
    "ledger": (),
    "telemetry": (),
    "query": (),
    "access": ("ledger",),
    "collection": ("telemetry",),
    "alerting": ("ledger", "telemetry", "query"),
    "incidents": ("ledger",),
    "distribution": ("ledger",),
    "api": ("ledger", "access", "query"),
}
"""Module to the modules it needs; a module starts after them and stops before them."""

TARGETS: Mapping[str, tuple[str, ...]] = {
    "collection": ("collection", "access"),
    "alerting": ("alerting", "access"),
    "incidents": ("incidents", "access"),
    "distribution": ("distribution", "access"),
    "api": ("api",),
    ALL: ("collection", "alerting", "incidents", "distribution", "api"),
}
"""What may be asked for with ``--target``, and the modules it stands for.

Every process answers HTTP (health, its own metrics, and what its modules offer), so every target
brings ``access``, which knows who is asking.
"""


def modules_of(targets: Iterable[str]) -> tuple[str, ...]:
    """Return the modules that ``targets`` need, each after those it needs itself.

    Raises:
        QvmonError: INVALID, for a target nobody knows; lists the known ones.
    """
    ordered: list[str] = []
    for target in targets:
        if target not in TARGETS:
            raise invalid(
                f"unknown target {target!r}; known are {', '.join(sorted(TARGETS))}", target=target
            )
        for module in TARGETS[target]:
            _place(module, ordered, ())
    return tuple(ordered)


def _place(module: str, ordered: list[str], above: tuple[str, ...]) -> None:
    if module in above:
        circle = " → ".join((*above, module))
        raise invalid(f"modules need each other in a circle: {circle}")
    if module in ordered:
        return
    for need in MODULES[module]:
        _place(need, ordered, (*above, module))
    ordered.append(module)
