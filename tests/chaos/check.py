"""What is left of a directory, against what its journals say."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from qvmon.model.clock import SystemClock
from qvmon.model.metrics import Registry
from qvmon.model.series import Selection, SeriesColumns
from qvmon.stores.telemetry import TelemetryStore
from qvmon.tsdb.snapshot import restore_snapshot
from tests.chaos.journal import Snapshot, Story
from tests.chaos.load import CONFIG, SERIES, STEP_MS, WRITERS, of_writer, value


@dataclass(slots=True)
class Findings:
    """What a check found.

    Attributes:
        samples: How many samples are there.
        lost: How many acknowledged ones are not.
        faults: A sentence for each thing that is wrong.
        blocks: How many blocks there are.
    """

    samples: int = 0
    lost: int = 0
    faults: list[str] = field(default_factory=list)
    blocks: int = 0


async def _check(directory: Path, story: Story) -> Findings:
    findings = Findings()
    await _compare_all(directory, story, findings)
    findings.blocks = len(list((directory / "blocks").iterdir()))
    quarantine = directory / "quarantine"
    if quarantine.exists():
        names = [path.name for path in quarantine.iterdir()]
        findings.faults.append(f"a kill damaged what was whole: {names}")
    if story.snapshot is not None:
        await _check_snapshot(directory, story.snapshot, story, findings)
    return findings


async def _check_snapshot(
    directory: Path, snapshot: Snapshot, story: Story, findings: Findings
) -> None:
    with TemporaryDirectory(prefix="chaos-restored-") as folder:
        restored = Path(folder) / "store"
        restore_snapshot(directory / "snapshots" / snapshot.name, restored)
        then = Story(story.tried, snapshot.acknowledged, story.doubtful, snapshot.deleted)
        found = Findings()
        await _compare_all(restored, then, found)
    findings.lost += found.lost
    findings.faults += [f"snapshot {snapshot.name}: {fault}" for fault in found.faults]


async def _compare_all(directory: Path, story: Story, findings: Findings) -> None:
    store = TelemetryStore(directory, CONFIG, SystemClock(), Registry())
    await store.start()
    selections = [Selection((of_writer(number),), 0, 2**62) for number in range(WRITERS)]
    for number, columns in enumerate(await store.select(selections)):
        _compare(number, columns, story, findings)
    await store.stop()


def _compare(writer: int, columns: SeriesColumns, story: Story, findings: Findings) -> None:
    wanted = story.acknowledged[writer] - story.doubtful[writer]
    unwanted = story.deleted[writer]
    seen = set()
    for row, labels in enumerate(columns.labels.all_labels()):
        rows = slice(columns.offsets[row], columns.offsets[row + 1])
        times, values = columns.timestamps[rows], columns.values[rows]
        series = int(labels["series"])
        seen.add(series)
        where = f"writer {writer}, series {series}"
        steps = set((times // STEP_MS).tolist())
        missing = wanted - steps
        findings.samples += len(times)
        findings.lost += len(missing)
        if missing:
            findings.faults.append(f"{where}: {len(missing)} lost, steps {sorted(missing)[:5]}")
        if len(steps) < len(times) or np.any(np.diff(times) <= 0):
            findings.faults.append(f"{where}: not each time once, ascending")
        if not np.array_equal(value(writer, times // STEP_MS)[:, series], values):
            findings.faults.append(f"{where}: values that were never sent")
        if strange := steps - story.tried[writer]:
            findings.faults.append(f"{where}: never sent: {sorted(strange)[:5]}")
        if undead := steps & unwanted:
            findings.faults.append(f"{where}: deleted and there: {sorted(undead)[:5]}")
    if wanted and len(seen) < SERIES:
        findings.lost += len(wanted) * (SERIES - len(seen))
        findings.faults.append(f"writer {writer}: only the series {sorted(seen)} are there")


def check(directory: Path, story: Story) -> Findings:
    """Open ``directory`` and return what it holds that it should not, and lacks that it should."""
    return asyncio.run(_check(directory, story))
