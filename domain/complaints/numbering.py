"""Official numbers of complaints: place, month of reception, serial, and letters of the channel, as in `140321-201912-0001LF`.

Shape and letters follow the number of a petition register (domain.md 2.1: a running number of four digits within the month, two
letters for the channel); the place stands first, since every county counts its own. A serial is taken once in its place and month
whatever the channel, so a gap in the register shows. The stream's id follows from the number, so two officers who take the same
one at the same time conflict instead of registering it twice (DECISIONS.md, 4).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from domain.vocabulary import ReceptionChannel

CHANNEL_LETTERS: Final[Mapping[ReceptionChannel, str]] = {
    ReceptionChannel.VISIT: "LF",
    ReceptionChannel.LETTER: "LX",
    ReceptionChannel.CALL: "LD",
    ReceptionChannel.WEB: "WS",
    ReceptionChannel.MESSAGE: "DX",
    ReceptionChannel.FORWARDED: "SZ",
    ReceptionChannel.LEADER_INSTRUCTION: "LP",
    ReceptionChannel.INSPECTION: "JC",
    ReceptionChannel.OTHER: "QT",
}
"""来访, 来信, 来电, 网上, 短信, 上级转送, 领导批示 (attested); 检查, 其他 and 短信 are ours."""

_NUMBER = re.compile(r"(?P<taken>.+-\d{6}-\d{4,})[A-Z]{2}")


def official_number(place: str, received: datetime, zone: ZoneInfo, serial: int, channel: ReceptionChannel) -> str:
    """The number of the `serial`-th complaint (from 1) of its place and local month; from 10,000 on the serial has five digits."""
    return f"{place}-{received.astimezone(zone):%Y%m}-{serial:04d}{CHANNEL_LETTERS[channel]}"


def complaint_id(origin: str, number: str) -> str:
    """The id of the complaint with that number in that log. The channel's letters do not part two ids: a serial is taken once."""
    found = _NUMBER.fullmatch(number)
    taken = number if found is None else found["taken"]
    return f"complaint-{hashlib.sha256(f'{origin} {taken}'.encode()).hexdigest()[:32]}"


def next_free(taken: Callable[[int], bool], after: int = 0) -> int:
    """A free serial beyond `after`: the first one, where serials are taken without gaps. Asks O(log n) times."""
    low, step = after, 1
    while taken(low + step):
        low += step
        step *= 2
    high = low + step
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if taken(middle) else (low, middle)
    return high
