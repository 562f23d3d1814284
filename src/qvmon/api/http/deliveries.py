"""``/deliveries``: messages on their way, and trying a dead one again."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from qvmon.api.http.access import AlertReader, Operator, rest_router
from qvmon.api.http.telling import DeliveryStatus, delivery_status
from qvmon.model.ledger import Descending, Ledger
from qvmon.services.distribution import DistributionService


class DeliveryList(BaseModel):
    """Deliveries, latest first."""

    deliveries: list[DeliveryStatus]


def delivery_routes(ledger: Ledger, distribution: DistributionService | None) -> APIRouter:
    """Return the routes that read deliveries and, where messages are sent, re-drive them."""
    router = rest_router("deliveries")

    @router.get("/deliveries", operation_id="listDeliveries")
    async def list_deliveries(
        _: AlertReader,
        status: Annotated[list[str] | None, Query()] = None,
        sink: Annotated[list[str] | None, Query()] = None,
        limit: Annotated[int, Query(ge=1, le=5000)] = 500,
    ) -> DeliveryList:
        """List deliveries, latest first; a filter given twice means either."""
        asked = {"status": status, "sink": sink}
        where = {name: values for name, values in asked.items() if values}
        rows = await ledger.rows(
            "deliveries", where, order=Descending("created_at_us"), limit=limit
        )
        return DeliveryList(deliveries=[delivery_status(row) for row in rows])

    if distribution is not None:

        @router.post("/deliveries/{delivery_id}/redrive", operation_id="redriveDelivery")
        async def redrive(caller: Operator, delivery_id: str) -> DeliveryStatus:
            """Try a dead letter again."""
            return delivery_status(await distribution.redrive(caller.principal, delivery_id))

    return router
