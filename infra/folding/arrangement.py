"""Which ledgers are folded together: those that stand at one position in the same parts of the log. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple


class Together(NamedTuple):
    """Ledgers that stand at a position in some parts."""

    position: int
    parts: tuple[int, ...]
    ledgers: tuple[str, ...]


def arranged(parts: Sequence[int], ledgers: Sequence[str], stands: Callable[[str, int], int | None]) -> list[Together]:
    """What is folded together, the foremost first. `stands`: where a ledger stands in a part; None: it is not folded there.

    Parts in which every ledger stands where it stands in the others go together, and of those the ledgers at one position.
    """
    alike: dict[tuple[int | None, ...], list[int]] = {}
    for part in parts:
        alike.setdefault(tuple(stands(name, part) for name in ledgers), []).append(part)
    found: list[Together] = []
    for standing, same in alike.items():
        at: dict[int, list[str]] = {}
        for name, position in zip(ledgers, standing, strict=True):
            if position is not None:
                at.setdefault(position, []).append(name)
        found += [Together(position, tuple(same), tuple(names)) for position, names in at.items()]
    return sorted(found, key=lambda each: each.position, reverse=True)
