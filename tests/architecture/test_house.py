"""What imports cannot show: who reads the clock and the environment, whether rooms are there."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "qvmon"
NOT_NAMES = {"utils", "util", "common", "helpers", "helper", "core", "base", "manager", "processor"}
NOT_NAMES |= {"data", "info", "misc", "types"}
SERVICES = [p for p in (SOURCE / "services").iterdir() if (p / "__init__.py").exists()]
ADAPTERS = [p for p in (SOURCE / "adapters").iterdir() if (p / "__init__.py").exists()]


def modules(*under: str) -> list[Path]:
    return sorted(path for place in under for path in (SOURCE / place).rglob("*.py"))


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def uses(path: Path) -> Iterator[tuple[int, str]]:
    """Yield (line, dotted name) of every attribute or name read, imports spelled whole."""
    imported: dict[str, str] = {}
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                imported[alias.asname or alias.name] = f"{node.module}.{alias.name}"
        elif isinstance(node, ast.Import):
            for alias in node.names:
                imported[alias.asname or alias.name] = alias.name
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Attribute | ast.Name):
            name = dotted(node)
            head, _, tail = name.partition(".")
            full = imported.get(head, head) + (f".{tail}" if tail else "")
            yield node.lineno, full


def offenders(paths: list[Path], forbidden: set[str]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{line} {name}"
        for path in paths
        for line, name in uses(path)
        if name in forbidden
    ]


def imports(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.lineno, node.module
        elif isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)


def importers(paths: list[Path], *packages: str) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{line} {name}"
        for path in paths
        for line, name in imports(path)
        if any(name == package or name.startswith(f"{package}.") for package in packages)
    ]


def test_the_clock_is_read_in_one_module() -> None:
    clocks = {"time.time", "time.time_ns", "time.monotonic", "time.monotonic_ns"}
    clocks |= {"time.perf_counter", "datetime.datetime.now", "datetime.datetime.utcnow"}
    clocks |= {"datetime.date.today", "asyncio.sleep", "time.sleep"}
    elsewhere = [
        path
        for path in modules("")
        if path != SOURCE / "model" / "clock.py" and "testing" not in path.parts
    ]
    assert offenders(elsewhere, clocks) == []


def test_the_environment_is_read_in_app() -> None:
    elsewhere = [path for path in modules("") if "app" not in path.relative_to(SOURCE).parts]
    assert offenders(elsewhere, {"os.environ", "os.getenv", "os.environb"}) == []


def test_no_module_has_a_name_that_says_nothing() -> None:
    names = [path for path in SOURCE.rglob("*") if path.suffix in ("", ".py")]
    assert [str(path.relative_to(ROOT)) for path in names if path.stem in NOT_NAMES] == []


@pytest.mark.parametrize("place", SERVICES, ids=lambda path: path.name)
def test_a_service_has_its_rooms(place: Path) -> None:
    rooms = {"README.md", "__init__.py", "service.py", "config.py", "metrics.py"}
    assert rooms - {path.name for path in place.iterdir()} == set()


@pytest.mark.parametrize("place", ADAPTERS, ids=lambda path: path.name)
def test_an_adapter_says_what_it_is(place: Path) -> None:
    assert (place / "README.md").exists()


@pytest.mark.parametrize("place", SERVICES, ids=lambda path: path.name)
def test_a_service_is_entered_by_its_front_door(place: Path) -> None:
    outside = [path for path in modules("") if place not in path.parents]
    inner = [
        found
        for found in importers(outside, f"qvmon.services.{place.name}")
        if not found.endswith(f" qvmon.services.{place.name}")
    ]
    assert inner == []


def test_only_stores_open_databases_and_parquet() -> None:
    allowed = {"stores", "tsdb"}
    elsewhere = [p for p in modules("") if p.relative_to(SOURCE).parts[0] not in allowed]
    assert importers(elsewhere, "sqlalchemy", "sqlite3", "duckdb", "pyarrow.parquet") == []


def test_engines_and_codecs_do_no_input_or_output() -> None:
    pure = modules("model", "promql", "wire", "relabel", "templates")
    reached = importers(pure, "socket", "httpx", "requests", "urllib.request", "subprocess")
    counts_processors = SOURCE / "model" / "threads.py"
    reached += importers([path for path in pure if path != counts_processors], "os")
    opened = offenders(pure, {"open", "pathlib.Path.open", "io.open"})
    assert reached + opened == []


def test_no_floor_is_empty() -> None:
    empty = [
        str(place.relative_to(ROOT))
        for place in SOURCE.rglob("*")
        if place.is_dir()
        and place.name not in ("__pycache__", "static")
        and "static" not in place.parts
        and not any(place.rglob("*.py"))
        and not any(place.rglob("*.sql"))
    ]
    assert empty == []
