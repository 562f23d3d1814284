"""``python -m tests.chaos --kills N --seed S --state FILE``: kills by hand, added up over runs."""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from tests.chaos.killing import Toll, kill_again_and_again


def main() -> int:
    """Run, add a line to the history, and return 1 when something was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=100, help="how many")
    parser.add_argument("--seed", type=int, default=None, help="repeats the instants of a run")
    parser.add_argument(
        "--state",
        type=Path,
        default=Path("docs/chaos.jsonl"),
        help="the history a line is added to, also when the run is interrupted",
    )
    options = parser.parse_args()
    seed = random.randrange(2**32) if options.seed is None else options.seed
    begun = time.monotonic()
    toll = Toll()
    try:
        for toll in kill_again_and_again(options.kills, seed):
            if toll.kills % 10 == 0:
                print(f"{toll.kills} kills, {toll.acknowledged} acknowledged, {toll.lost} lost")
    except KeyboardInterrupt:
        print("interrupted")
    _record(options.state, seed, toll, time.monotonic() - begun)
    print(*toll.faults, sep="\n")
    print(_sum(options.state))
    return 1 if toll.faults else 0


def _record(history: Path, seed: int, toll: Toll, seconds: float) -> None:
    line = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "seed": seed,
        "kills": toll.kills,
        "acknowledged": toll.acknowledged,
        "lost": toll.lost,
        "faults": len(toll.faults),
        "most_blocks": toll.most_blocks,
        "did": toll.words,
        "seconds": round(seconds),
    }
    with history.open("a") as file:
        file.write(json.dumps(line) + "\n")


def _sum(history: Path) -> str:
    runs = [json.loads(line) for line in history.read_text().splitlines()]
    kills, samples, lost = (
        sum(run[name] for run in runs) for name in ("kills", "acknowledged", "lost")
    )
    return f"{len(runs)} runs so far: {kills} kills, {samples} samples acknowledged, {lost} lost"


if __name__ == "__main__":
    sys.exit(main())
