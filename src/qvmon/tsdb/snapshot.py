"""A data directory as it is at one moment, beside the one in use, and back from there.

Blocks and closed segments never change, so a snapshot shares them (hard links) and costs little
more than their names.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from qvmon.model.errors import ErrorKind, QvmonError, not_found
from qvmon.tsdb.deletion.tombstones import Tombstone, content
from qvmon.tsdb.files.durable import publish_directory, sync
from qvmon.tsdb.files.paths import DataPaths, temporary

_NO_LINKS = {errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP, errno.EOPNOTSUPP}


def write_snapshot(
    paths: DataPaths,
    name: str,
    blocks: Iterable[int],
    segments: Sequence[int],
    deletions: Sequence[Tombstone],
) -> Path:
    """Make ``paths.snapshots / name``; nothing may delete the blocks and segments meanwhile.

    Args:
        paths: The directory in use.
        name: New.
        blocks: Numbers of the blocks that belong to it.
        segments: Numbers of the segments, none of them written to any more.
        deletions: What counts as gone in these.

    Raises:
        QvmonError: UNAVAILABLE, when the file system refuses; nothing is left behind.
    """
    final = paths.snapshots / name
    prepared = DataPaths(temporary(final))
    try:
        prepared.create()
        for number in blocks:
            share_files(paths.block(number).directory, prepared.block(number).directory)
            sync(prepared.block(number).directory)
        for number in segments:
            _share(paths.segment(number), prepared.segment(number))
        prepared.tombstones.write_bytes(content(deletions))
        for file in (paths.head_state, paths.metadata, paths.unknown):
            if file.exists():
                shutil.copyfile(file, prepared.root / file.name)
        sync(prepared.blocks)
        sync(prepared.wal)
        publish_directory(prepared.root, final)
        sync(paths.root)
    except OSError as error:
        raise QvmonError(ErrorKind.UNAVAILABLE, f"cannot write {final}: {error}") from error
    finally:
        shutil.rmtree(prepared.root, ignore_errors=True)
    return final


def restore_snapshot(snapshot: Path, directory: Path) -> None:
    """Make the data directory ``directory`` of a snapshot, which stays as it is.

    Raises:
        QvmonError: NOT_FOUND when ``snapshot`` is none, CONFLICT when there is something at
            ``directory``, UNAVAILABLE when the file system refuses; nothing is left behind.
    """
    source, prepared = DataPaths(snapshot), DataPaths(temporary(directory))
    if not (source.blocks.is_dir() and source.wal.is_dir()):
        raise not_found(f"{snapshot} is not a snapshot: it lacks blocks/ or wal/")
    if directory.exists() and any(directory.iterdir()):
        message = f"{directory} is not empty: restore into a new directory"
        raise QvmonError(ErrorKind.CONFLICT, message)
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(prepared.root, ignore_errors=True)
        prepared.create()
        for number in source.block_numbers():
            share_files(source.block(number).directory, prepared.block(number).directory)
            sync(prepared.block(number).directory)
        for number in source.segments():
            _copy(source.segment(number), prepared.segment(number))
        for file in (source.head_state, source.tombstones, source.metadata, source.unknown):
            if file.exists():
                _copy(file, prepared.root / file.name)
        sync(prepared.blocks)
        sync(prepared.wal)
        publish_directory(prepared.root, directory)
    except OSError as error:
        raise QvmonError(ErrorKind.UNAVAILABLE, f"cannot write {directory}: {error}") from error
    finally:
        shutil.rmtree(prepared.root, ignore_errors=True)


def share_files(source: Path, target: Path) -> None:
    """Make the directory ``target`` of the files in ``source``, which never change."""
    target.mkdir()
    for file in source.iterdir():
        _share(file, target / file.name)


def _share(source: Path, target: Path) -> None:
    """Give a file that never changes a second name; copy it where that cannot be."""
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        _copy(source, target)


def _copy(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)
    sync(target)
