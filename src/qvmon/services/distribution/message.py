"""What is told: a content, and the message that carries it to one sink."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Part:
    """One form of a content."""

    media_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Content:
    """What one fact says to one kind of reader.

    Attributes:
        source_id: Stable id of what is told: the notification's, or the fact's.
        key: Contents with the same key reach a sink in order.
        title: One line without line breaks.
        parts: The same content in one or more forms, plainest first.
    """

    source_id: str
    key: str
    title: str
    parts: tuple[Part, ...]

    @property
    def body(self) -> Part:
        """The richest form, for sinks that carry one only."""
        return self.parts[-1]


@dataclass(frozen=True, slots=True)
class Message:
    """One attempt to deliver a content to one sink.

    Attributes:
        delivery_id: The same with every attempt; receivers recognise repeats by it.
        content: What is told.
        occurred_at_us: Event time of the fact, microseconds since the epoch.
        attempt: 1 for the first.
        possibly_repeated: An earlier attempt may have arrived.
        traceparent: W3C trace context, or empty.
    """

    delivery_id: str
    content: Content
    occurred_at_us: int
    attempt: int = 1
    possibly_repeated: bool = False
    traceparent: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """A sink's word that it took a message; ``detail`` is its answer in a few words."""

    detail: str
