"""Recorded, sealed, published: three words for three states of an event, never mixed (design.md 8)."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """How far an event has come. Each state holds what the one before it says."""

    RECORDED = "recorded"
    """It has a position."""
    SEALED = "sealed"
    """Its hash is in the tree."""
    PUBLISHED = "published"
    """It is below a signed checkpoint with the cosignatures that the deployment asks for."""


def state_of(position: int, sealed: int, published: int) -> State:
    """The state of a recorded event, from the sizes of the tree and of the published checkpoint."""
    if position <= published:
        return State.PUBLISHED
    return State.SEALED if position <= sealed else State.RECORDED
