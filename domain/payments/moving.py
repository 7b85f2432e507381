"""Moving what was credited from one claim to others: when lines merge or split, or were allocated wrongly. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from domain.money import Fen
from domain.payments.payment import Payment
from domain.streams import Provenance


def credited_to(payments: Iterable[Payment], claim: str) -> Fen:
    """What is left credited to a claim over all payments."""
    return sum(line.amount for payment in payments for line in payment.credited.values() if line.claim == claim)


def reallocate(
    payments: Iterable[Payment],
    claim: str,
    shares: Sequence[tuple[str, Fen | None]],
    reason: str,
    provenance: Provenance,
) -> list[Payment]:
    """Moves what is left credited to `claim` to others, each up to its share (None: all that is left), in the order of paying; the
    payments that changed. It bears the date of the act that moves it."""
    left = [[to, share] for to, share in shares]
    changed = []
    for payment in payments:
        lines = [(number, line) for number, line in payment.credited.items() if line.claim == claim and line.amount > 0]
        for number, line in lines:
            rest = line.amount
            while rest > 0 and left:
                to, share = left[0]
                amount = rest if share is None else min(rest, int(share))
                if amount > 0:
                    payment.allocate(number, str(to), amount, reason, provenance, corrects=False)
                    rest -= amount
                if share is None:
                    continue
                left[0][1] = int(share) - amount
                if left[0][1] == 0:
                    left.pop(0)
        if lines:
            changed.append(payment)
    return changed
