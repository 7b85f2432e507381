"""Writes one chunk while the next is folded: never more than one, and in order."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

from infra.postgres.ledger_chunk import Chunk
from infra.postgres.ledger_store import LedgerSession


class Pipeline:
    """Used by one thread; it lends its session to a thread of its own for as long as a chunk is written."""

    def __init__(self, session: LedgerSession) -> None:
        self._session = session
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ledger-writer")
        self._writing: Future[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.shutdown(wait=True)

    def submit(self, chunk: Chunk, head: int) -> None:
        """Begins to write a chunk, when the one before it is committed. Errors: those of the one before it, as `settle`."""
        self.settle()
        self._writing = self._thread.submit(self._session.write, chunk, head)

    def settle(self) -> None:
        """Returns when everything is committed.

        Raises:
            PositionMovedError, FoldError, StoreFailedError: as `LedgerSession.write`; the chunk was not written.
        """
        writing, self._writing = self._writing, None
        if writing is not None:
            writing.result()
