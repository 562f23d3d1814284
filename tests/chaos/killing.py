"""Lives and deaths of processes on one directory after another."""

from __future__ import annotations

import random
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

from tests.chaos.check import Findings, check
from tests.chaos.journal import Story
from tests.chaos.load import SERIES, be_quiet, live

LIVES_A_DIRECTORY = 25
_PATIENCE_SECONDS = 120
_processes = get_context("forkserver")
_processes.set_forkserver_preload(["tests.chaos.check", "tests.chaos.load"])


@dataclass(slots=True)
class Toll:
    """What came of it so far.

    Attributes:
        kills: Processes killed.
        acknowledged: Samples acknowledged.
        lost: Acknowledged samples that were gone.
        faults: A sentence for each thing that was wrong, with what is needed to see it again.
        most_blocks: The most blocks a directory had.
        words: How often each word was said in a journal.
    """

    kills: int = 0
    acknowledged: int = 0
    lost: int = 0
    faults: list[str] = field(default_factory=list)
    most_blocks: int = 0
    words: dict[str, int] = field(default_factory=dict)


def kill_again_and_again(kills: int, seed: int) -> Iterator[Toll]:
    """Kill that many processes; yield the toll after each death.

    Args:
        kills: How many.
        seed: Decides the instants, as far as a machine repeats itself.
    """
    chance = random.Random(seed)
    toll = Toll()
    while toll.kills < kills:
        folder = Path(tempfile.mkdtemp(prefix="chaos-"))
        yield from _one_directory(folder, min(LIVES_A_DIRECTORY, kills - toll.kills), chance, toll)
        if toll.faults:
            toll.faults.append(f"seed {seed}, {toll.kills} kills; see {folder}")
            return
        shutil.rmtree(folder)


def _one_directory(folder: Path, lives: int, chance: random.Random, toll: Toll) -> Iterator[Toll]:
    story = Story()
    before = toll.acknowledged
    for life in range(lives):
        journal = folder / f"journal-{life}"
        status = live_until(folder / "store", journal, life, *_instant(chance))
        story.read(journal)
        if status != -signal.SIGKILL:
            toll.faults.append(f"a process ended by itself with status {status}")
        findings = _checked(folder / "store", story)
        toll.kills += 1
        toll.acknowledged = before + SERIES * sum(map(len, story.acknowledged.values()))
        toll.lost += findings.lost
        toll.faults += findings.faults
        toll.most_blocks = max(toll.most_blocks, findings.blocks)
        yield toll
        if toll.faults:
            return
    for word, count in story.words.items():
        toll.words[word] = toll.words.get(word, 0) + count


def _instant(chance: random.Random) -> tuple[float, str]:
    """Return seconds of life, and since when: often enough while it still recovers."""
    if chance.random() < 0.25:
        return chance.uniform(0, 0.3), ""
    return chance.uniform(0, 0.8), "open"


def live_until(
    directory: Path, journal: Path, life: int, seconds: float, word: str = ""
) -> int | None:
    """Kill a process that works on ``directory``; return its status.

    Args:
        directory: Of the store.
        journal: What the process says.
        life: Its number.
        seconds: How long it lives once it has said ``word``, or from its start.
        word: Waited for, so that a slow machine kills no process that has done nothing.
    """
    process = _processes.Process(target=live, args=(directory, journal, life), daemon=True)
    process.start()
    patience = time.monotonic() + _PATIENCE_SECONDS
    while word and not _said(journal, word) and time.monotonic() < patience and process.is_alive():
        time.sleep(0.01)
    time.sleep(seconds)
    process.kill()
    process.join()
    return process.exitcode


def _said(journal: Path, word: str) -> bool:
    try:
        lines = journal.read_text().splitlines()
    except FileNotFoundError:
        return False
    return any(line.startswith(word) for line in lines)


def _checked(directory: Path, story: Story) -> Findings:
    """Check in a process of its own, so that nothing of it lives on in the next check."""
    receiver, sender = _processes.Pipe(duplex=False)
    process = _processes.Process(target=_send, args=(sender, check, directory, story), daemon=True)
    process.start()
    sender.close()
    try:
        if receiver.poll(_PATIENCE_SECONDS):
            found: Findings = receiver.recv()
            return found
        return Findings(faults=["a check did not come back"])
    except EOFError:
        return Findings(faults=["a check ended by itself: the directory cannot be opened"])
    finally:
        process.kill()
        process.join()


def _send(
    sender: Connection, work: Callable[[Path, Story], Findings], directory: Path, story: Story
) -> None:
    be_quiet()
    sender.send(work(directory, story))
