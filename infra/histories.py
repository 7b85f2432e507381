"""Cases kept folded between requests: only what was recorded since is read and folded again.

Guarantee: what is answered is the fold of every entry of the partition up to the position that is returned with it, as if it had
been replayed from its first entry. Events are for ever, so what was folded stays true; the longest unused go when there are more
than `most_events`.
"""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import NamedTuple

from domain.entries import EventTypes
from domain.recording import LogReader
from projections.replay import CaseHistory, CaseState, TimelineItem

MOST_EVENTS = 100_000
"""Events of all cases together that are kept; about 2 KiB each."""


class Folded(NamedTuple):
    """A partition at the log's head: its position, the state of its case, its history in order of position."""

    position: int
    state: CaseState
    items: list[TimelineItem]


class _Kept:
    def __init__(self) -> None:
        self.lock = Lock()
        self.history = CaseHistory()


class CaseHistories:
    """See the module. Safe to share between threads."""

    def __init__(self, log: LogReader, types: EventTypes, most_events: int = MOST_EVENTS) -> None:
        self._log = log
        self._types = types
        self._most = most_events
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._lock = Lock()

    def at_head(self, partitionkey: str) -> Folded:
        """The partition with all that is recorded of it by now."""
        with self._lock:
            kept = self._kept.setdefault(partitionkey, _Kept())
            self._kept.move_to_end(partitionkey)
        with kept.lock:
            head = self._log.head().position
            history = kept.history
            try:
                after = history.position
                history.extend(map(self._types.decode, self._log.read_partition(partitionkey, after=after, upto=head)))
            except Exception:
                kept.history = CaseHistory()  # half of an event may have been folded
                raise
            folded = Folded(head, history.state(), history.items[:])
        self._forget()
        return folded

    def _forget(self) -> None:
        with self._lock:
            events = sum(len(kept.history.items) for kept in self._kept.values())
            while events > self._most and len(self._kept) > 1:
                _, oldest = self._kept.popitem(last=False)
                events -= len(oldest.history.items)
