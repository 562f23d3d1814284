"""Getting the next item of something while the present one is worked on."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")


def ahead(items: Iterator[Item]) -> Iterator[Item]:
    """Yield ``items``, each got by another thread while the caller has the one before it."""
    with ThreadPoolExecutor(1, thread_name_prefix="qvmon-tsdb-ahead") as thread:
        coming = thread.submit(list, islice(items, 1))
        while item := coming.result():
            coming = thread.submit(list, islice(items, 1))
            yield item[0]
