"""Money is a whole number of fen (1 yuan = 100 fen). Nothing recorded or hashed ever holds a float."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

Fen = int
MAX_FEN = 2**53 - 1
"""The largest amount an entry may hold: integers beyond this are not interoperable JSON (RFC 8785, section 3.2.2.3)."""


def fen(amount: Decimal, *, per_unit: int = 100) -> Fen:
    """Exact conversion of a decimal amount (in yuan, or a unit of `per_unit` fen) into fen.

    Raises:
        ValueError: when the amount has a fraction of a fen or is larger than `MAX_FEN`.
    """
    scaled = amount * per_unit
    whole = scaled.to_integral_value(rounding=ROUND_HALF_EVEN)
    if whole != scaled:
        raise ValueError(f"{amount} is not a whole number of fen")
    if abs(whole) > MAX_FEN:
        raise ValueError(f"{amount} is larger than an entry can hold")
    return int(whole)


def yuan(amount: Fen) -> str:
    """The amount as a person reads it, in yuan with two places and thousands marks: `-1,234.50`."""
    sign = "-" if amount < 0 else ""
    return f"{sign}{abs(amount) // 100:,}.{abs(amount) % 100:02d}"
