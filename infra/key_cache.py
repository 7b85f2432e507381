"""Data keys in memory, so that not every field asks the database and the keyring.

Guarantees: plain keys stand here and nowhere else; there are never more than the bound, the longest unused going
first; no key outlives an erasure that the caller can see, in whichever process it was ordered.

Every erasure raises a counter in the store. Whoever asks says which count he read in his transaction; a count that has
risen empties the cache, and a key learned before it is not taken up after it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from threading import Lock


class KeyCache:
    """Least recently used data keys by subject. Safe to share between threads."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._keys: OrderedDict[str, bytes] = OrderedDict()
        self._erasures = 0
        self._lock = Lock()

    def __repr__(self) -> str:
        return f"KeyCache({len(self)} of {self._size})"

    def __len__(self) -> int:
        return len(self._keys)

    def known(self, subjects: Iterable[str], erasures: int) -> dict[str, bytes]:
        """The keys that are known of these subjects, when `erasures` subjects have been erased."""
        with self._lock:
            if not self._follows(erasures):
                return {}
            found = {subject: self._keys[subject] for subject in subjects if subject in self._keys}
            for subject in found:
                self._keys.move_to_end(subject)
            return found

    def remember(self, keys: Mapping[str, bytes], erasures: int) -> None:
        """Takes up keys that were read or made, and are durable, when `erasures` subjects had been erased."""
        with self._lock:
            if not self._follows(erasures):
                return
            for subject, key in keys.items():
                self._keys[subject] = key
                self._keys.move_to_end(subject)
            while len(self._keys) > self._size:
                self._keys.popitem(last=False)

    def forget(self, subject: str) -> None:
        """Drops one key at once."""
        with self._lock:
            self._keys.pop(subject, None)

    def _follows(self, erasures: int) -> bool:
        """Lets the cache follow a count that has risen; whether the count is now the cache's."""
        if erasures > self._erasures:
            self._keys.clear()
            self._erasures = erasures
        return erasures == self._erasures
