"""Files that are there after a power cut: synced before they get their name."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from qvmon.tsdb.files.paths import temporary


def sync(path: Path) -> None:
    """Make what ``path`` (a file, or the names in a directory) holds survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_file(path: Path, content: bytes) -> None:
    """Give ``path`` new content, all of it or none."""
    prepared = temporary(path)
    prepared.write_bytes(content)
    sync(prepared)
    prepared.replace(path)
    sync(path.parent)


def publish_directory(prepared: Path, final: Path) -> None:
    """Give a finished directory its name, its files synced first; when that fails it has none."""
    for path in prepared.iterdir():
        sync(path)
    sync(prepared)
    prepared.rename(final)
    try:
        sync(final.parent)
    except OSError:
        shutil.rmtree(final, ignore_errors=True)
        raise


def set_aside(path: Path, directory: Path) -> Path:
    """Move ``path`` into ``directory`` under a name that is free there; return where it is."""
    directory.mkdir(exist_ok=True)
    place, attempt = directory / path.name, 0
    while place.exists():
        attempt += 1
        place = directory / f"{path.name}.{attempt}"
    path.rename(place)
    return place


def put_away(path: Path, directory: Path) -> str:
    """Set ``path`` aside if the disk lets us; return what to say of it."""
    try:
        return f"moved to {set_aside(path, directory)}"
    except OSError as error:
        return f"left where it is, as it cannot be moved to {directory}: {error}"


def remove_directory(path: Path) -> None:
    """Remove a directory so that a crash leaves it whole or under its temporary name."""
    doomed = temporary(path)
    path.rename(doomed)
    sync(path.parent)
    shutil.rmtree(doomed)
