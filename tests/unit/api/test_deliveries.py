"""Messages on their way, and trying a dead one again."""

from __future__ import annotations

from qvmon.model.facts import DeliveryDead, DeliveryStarted, FactDraft

from .conftest import PREFIX, House


async def dead_letter(house: House, delivery_id: str = "d-1") -> None:
    started = DeliveryStarted(
        delivery_id=delivery_id,
        sink="webhook:gone",
        source_id="n-1",
        source_type="notification.queued",
        source_subject="notification/n-1",
        created_us=1,
    )
    dead = DeliveryDead(
        delivery_id=delivery_id, sink="webhook:gone", attempt=3, started_us=5, finished_us=6
    )
    subject = f"delivery/{delivery_id}"
    await house.ledger.append(
        [FactDraft(body, subject, "service:distribution", 5) for body in (started, dead)]
    )


async def test_dead_letters_are_found_by_status(house: House) -> None:
    await dead_letter(house)
    client = await house.program("viewer")
    found = (await client.get(f"{PREFIX}/deliveries", params={"status": "dead"})).json()
    assert [(each["delivery_id"], each["sink"]) for each in found["deliveries"]] == [
        ("d-1", "webhook:gone")
    ]
    none = (await client.get(f"{PREFIX}/deliveries", params={"status": "succeeded"})).json()
    assert none == {"deliveries": []}


async def test_a_dead_letter_of_a_sink_no_longer_configured_cannot_be_tried_again(
    house: House,
) -> None:
    await dead_letter(house)
    client = await house.program("operator")
    answer = await client.post(f"{PREFIX}/deliveries/d-1/redrive")
    assert (answer.status_code, "not configured any more" in answer.text) == (409, True)
    missing = await client.post(f"{PREFIX}/deliveries/d-2/redrive")
    assert missing.status_code == 404
