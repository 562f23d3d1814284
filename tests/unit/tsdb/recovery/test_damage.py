"""Files changed at random places: what is whole is served, what is not is set aside and named."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from tests.unit.tsdb.conftest import Small

Samples = dict[int, dict[int, float]]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A closed directory with three blocks, a log of several segments, and what they hold."""
    chance = random.Random(11)
    small = Small(tmp_path_factory.mktemp("written"), segment_bytes=1 << 11)
    for time in range(0, 4_700, 10):
        small.append(*((series, time, round(chance.gauss(0, 50), 3)) for series in (1, 2, 3)))
        if time % 500 == 0:
            small.database.upkeep.flush()
    samples = {series: dict(rows) for series, rows in small.read().items()}
    assert len(small.database.blocks) == 4
    assert len(small.database.paths.segments()) > 2
    small.database.close()
    return small.directory, samples


def _files(directory: Path) -> list[Path]:
    return sorted(
        [*directory.glob("blocks/*/*"), *directory.glob("wal/*"), directory / "head.json"]
    )


def _damaged(file: Path, chance: random.Random) -> None:
    content = bytearray(file.read_bytes())
    at = chance.randrange(len(content))
    how = chance.randrange(4)
    if how == 0:
        content[at] ^= 1 << chance.randrange(8)
    elif how == 1:
        del content[at:]
    elif how == 2:
        content[at : at + 64] = bytes(len(content[at : at + 64]))
    else:
        content[at : at + 16] = chance.randbytes(len(content[at : at + 16]))
    file.write_bytes(content)


@pytest.mark.parametrize("seed", range(120))
def test_one_damaged_file_costs_at_most_what_it_holds(tmp_path, written, seed):
    directory, samples = written
    chance = random.Random(seed)
    copy = tmp_path / "copy"
    shutil.copytree(directory, copy)
    file = chance.choice(_files(copy))
    before = file.read_bytes()
    _damaged(file, chance)
    small = Small(copy, segment_bytes=1 << 11)
    found = {series: dict(rows) for series, rows in small.read().items()}
    for series, rows in found.items():
        assert rows.items() <= samples[series].items()
    lost = sum(map(len, samples.values())) - sum(map(len, found.values()))
    told = [*small.database.recovery.warnings, *small.database.blocks.damaged]
    if file.parent.parent.name == "blocks":
        assert lost <= 3 * 100
    elif file.parent.name == "wal":
        assert lost <= 3 * len(before) // 50
    else:
        assert lost == 0
    if lost:
        assert any(str(file.parent) in sentence for sentence in told), told
    small.append((1, 5_000, 1.0))
    small.database.upkeep.flush()
    while small.database.upkeep.compact():
        pass
    small.reopen()
    assert small.read(5_000)[1] == [(5_000, 1.0)]
    small.database.close()
