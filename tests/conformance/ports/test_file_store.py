"""Every file store keeps the promises that collection relies on."""

from __future__ import annotations

from pathlib import Path

import pytest

from qvmon.adapters.host import LocalFiles
from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.services.collection import FileStore
from tests.unit.services.collection.memory import MemoryFiles

CONTENTS = {"b.json": "[]", "a.json": "[1]", "c.yml": "x"}


@pytest.fixture(params=["host", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[FileStore, str]:
    """A store with three files, and the folder they are in."""
    if request.param == "memory":
        return MemoryFiles({f"lists/{name}": text for name, text in CONTENTS.items()}), "lists"
    for name, text in CONTENTS.items():
        (tmp_path / name).write_text(text)
    return LocalFiles(), str(tmp_path)


async def test_matching_files_come_sorted_with_their_whole_path(store) -> None:
    files, folder = store
    assert await files.matching(f"{folder}/*.json") == [f"{folder}/a.json", f"{folder}/b.json"]


async def test_a_plain_name_matches_itself(store) -> None:
    files, folder = store
    assert await files.matching(f"{folder}/c.yml") == [f"{folder}/c.yml"]


async def test_nothing_matches_nothing(store) -> None:
    files, folder = store
    assert await files.matching(f"{folder}/*.toml") == []


async def test_a_file_is_read_whole(store) -> None:
    files, folder = store
    assert await files.read(f"{folder}/a.json") == b"[1]"


async def test_a_missing_file_is_not_found_and_named(store) -> None:
    files, folder = store
    with pytest.raises(QvmonError, match="gone: no such file") as caught:
        await files.read(f"{folder}/gone")
    assert caught.value.kind is ErrorKind.NOT_FOUND
