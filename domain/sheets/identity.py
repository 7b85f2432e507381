"""Identity numbers and the last digits of them, as people write them.

Source: GB 11643-1999, ISO 7064 (MOD 11-2). Numbers of the first generation have fifteen digits: no century, no check digit.
"""

from __future__ import annotations

import re
from typing import Final

from domain.books.cells import plain

_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK: Final = "10X98765432"
_EIGHTEEN = re.compile(r"[1-9][0-9]{16}[0-9X]")
_FIFTEEN = re.compile(r"[1-9][0-9]{14}")


def plain_number(text: str) -> str:
    """A number as digits and letters only: width folded, blanks and hyphens out, an `x` at the end as `X`."""
    return re.sub(r"[\s\-·]", "", plain(text)).upper()


def is_identity(number: str) -> bool:
    """Whether a plain number is one of eighteen digits with the right check digit. Who it was given to is not asked."""
    if not _EIGHTEEN.fullmatch(number):
        return False
    return (
        _CHECK[sum(int(digit) * weight for digit, weight in zip(number[:17], _WEIGHTS, strict=True)) % 11] == number[17]
    )


def same_identity(one: str, other: str) -> bool:
    """Whether two plain numbers are one, also where one of them is of the first generation."""
    if one == other:
        return True
    short, long = sorted((one, other), key=len)
    return bool(_FIFTEEN.fullmatch(short) and _EIGHTEEN.fullmatch(long)) and long[:6] + long[8:17] == short


def last_four(text: str) -> str:
    """The last four of a number, of a masked one (`1403**********0013`) too. Zeros that a spreadsheet took off in front are put back."""
    number = plain_number(text)
    return re.split(r"[*＊xX•]{2,}", number)[-1][-4:].rjust(4, "0") if number else ""


def is_masked(number: str) -> bool:
    """Whether only a part of the number is told."""
    return "**" in number or "••" in number


def masked(text: str | None) -> str:
    """A number for a preview: all but the last four hidden."""
    return "" if not text else "****" + text[-4:] if len(text) > 4 else "****"
