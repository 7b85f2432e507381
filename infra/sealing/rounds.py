"""One round after another: what was recorded is sealed, signed and published. The same rounds in a service and in a single command.

Guarantees: only who holds the lock of the folder makes rounds. Each round begins where the last one ended, however that ended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from domain.recording import LogReader
from infra.sealing.publisher import Publisher
from infra.sealing.sealer import Sealer
from infra.sealing.signer import Signer
from infra.sealing.store import TileStore
from infra.sealing.tree import SealedTree


class Rounds:
    """See the module. Made by `rounds`."""

    def __init__(
        self, log: LogReader, store: TileStore, signer: Signer, publisher: Publisher, published: Callable[[], int]
    ) -> None:
        self._store = store
        self._publisher = publisher
        self._published = published
        self._sealer = Sealer(log, store, signer)
        self._sealer.start()

    def run(self) -> int:
        """Seals, signs and publishes what was recorded meanwhile; returns the size of the published checkpoint.

        Raises:
            NotReadyError: the witnesses are no quorum yet; what was sealed and signed stays so.
            LogMismatchError, VerificationError: the log, its tree, or what the witnesses saw contradict each other.
            RecordingError: the database cannot be reached.
        """
        head = self._sealer.integrate()
        if head.size > self._published():
            self._publisher.publish(self._sealer.sign(), SealedTree(self._store))
        return self._published()


@contextmanager
def rounds(
    log: LogReader, store: TileStore, signer: Signer, publisher: Publisher, published: Callable[[], int]
) -> Iterator[Rounds]:
    """Rounds, while nobody else makes them. `published`: how many leaves the checkpoint has that is published as it should be.

    Raises:
        NotReadyError: somebody else does.
        LogMismatchError: what is stored is not what was signed (`Sealer.start`).
    """
    with store.lock(wait=False):
        yield Rounds(log, store, signer, publisher, published)
