"""Tells those outside: one courier a sink, and the verb that tries a dead letter again."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence

from qvmon.model.access import Permission, Principal
from qvmon.model.clock import Clock, now_us
from qvmon.model.errors import ErrorKind, QvmonError, invalid, not_found
from qvmon.model.facts import DeliveryRedriven, FactDraft
from qvmon.model.ledger import Ledger, Row
from qvmon.model.metrics import Registry
from qvmon.services.distribution.config import DistributionConfig
from qvmon.services.distribution.courier import Courier
from qvmon.services.distribution.outlet import Outlet
from qvmon.services.distribution.ports import Jitter
from qvmon.services.distribution.projections import DEAD, DELIVERIES


class DistributionService:
    """Deliveries to every outlet, with receipts.

    Args:
        config: Settings of the whole room.
        outlets: The sinks and what goes there; their names are distinct.
        ledger: Facts, one cursor a sink, and the projection of this room.
        clock: Tells when attempts are due.
        registry: Takes the metrics.
        jitter: Spreads retries; the system's randomness when not given.

    Raises:
        QvmonError: INVALID, when two outlets have one name.
    """

    def __init__(
        self,
        config: DistributionConfig,
        outlets: Sequence[Outlet],
        ledger: Ledger,
        clock: Clock,
        registry: Registry,
        *,
        jitter: Jitter | None = None,
    ) -> None:
        self._config = config
        self._ledger = ledger
        self._clock = clock
        self._couriers: dict[str, Courier] = {}
        for outlet in outlets:
            if outlet.name in self._couriers:
                raise invalid(f"two sinks are called {outlet.name!r}", sink=outlet.name)
            self._couriers[outlet.name] = Courier(
                outlet, ledger, clock, jitter or secrets.SystemRandom(), registry
            )
        self._redriving = asyncio.Lock()
        self._running: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to deliver in the background; no sink need be there yet."""
        self._running = asyncio.create_task(self.run(), name="distribution")

    async def stop(self) -> None:
        """Let attempts under way end, for a while; the rest is delivered after a restart."""
        if self._running is None:
            return
        for courier in self._couriers.values():
            courier.stop()
        await asyncio.wait([self._running], timeout=self._config.stop_patience_seconds)
        self._running.cancel()
        await asyncio.wait([self._running])
        self._running = None

    async def run(self) -> None:
        """Deliver until the ledger closes."""
        async with asyncio.TaskGroup() as tasks:
            for name, courier in self._couriers.items():
                tasks.create_task(courier.run(self._config.retry_seconds), name=f"deliver {name}")

    async def redrive(self, principal: Principal, delivery_id: str) -> Row:
        """Return the delivery after ``principal`` asked for it to be tried again.

        Raises:
            QvmonError: UNAUTHENTICATED or FORBIDDEN; NOT_FOUND; CONFLICT when it is not dead or
                its sink is no longer configured.
        """
        principal.require(Permission.OPERATE)
        async with self._redriving:
            row = await self._row(delivery_id)
            if row["status"] != DEAD:
                raise _conflict(row, f"is {row['status']}, not {DEAD}")
            if row["sink"] not in self._couriers:
                raise _conflict(row, f"went to {row['sink']}, which is not configured any more")
            draft = FactDraft(
                body=DeliveryRedriven(delivery_id=delivery_id, sink=row["sink"]),
                subject=f"delivery/{delivery_id}",
                actor=principal.actor,
                occurred_at=now_us(self._clock),
            )
            await self._ledger.append([draft])
            return await self._row(delivery_id)

    async def _row(self, delivery_id: str) -> Row:
        rows = await self._ledger.rows(DELIVERIES.name, {"delivery_id": delivery_id})
        if not rows:
            raise not_found(f"no delivery {delivery_id!r}", delivery_id=delivery_id)
        return rows[0]


def _conflict(row: Row, why: str) -> QvmonError:
    return QvmonError(
        ErrorKind.CONFLICT, f"delivery {row['delivery_id']} {why}", status=row["status"]
    )
