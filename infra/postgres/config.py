"""How a session with the log's database behaves: limits, waits and tolerances, with their units."""

from __future__ import annotations

from dataclasses import dataclass

from infra.recorders import OriginatorIdType


@dataclass(frozen=True, slots=True)
class RecorderConfig:
    """Settings of a `PostgresLog`. Times are seconds unless the name says otherwise."""

    role: str | None = None
    """Database role the sessions take on, such as `qingling_writer`; None: the login role's own rights."""
    pool_size: int = 16
    """Sessions for reading that may be open at once; a caller beyond that waits."""
    pool_patience: float = 30.0
    """How long a caller waits for a session of the pool."""
    connect_timeout: int = 5
    reconnect_patience: float = 15.0
    """How long a lost server is waited for before a call fails; a restart and its recovery should fit in."""
    answer_timeout: float | None = None
    """How long a read waits for the server before its session is given up; None: for ever. The server keeps the limits below, so this is
    for one that went silent: TCP notices a dead host by itself, but not a hung server, nor one behind a proxy."""
    statement_timeout: float = 120.0
    lock_timeout: float = 60.0
    """Longest wait for the append lock. Longer than any transaction that holds it, such as a bulk import's."""
    idle_in_transaction_timeout: float = 30.0
    """A session that sits in a transaction longer than this is ended by the server, so that it cannot hold the append lock."""
    merge_batches: int = 128
    """Batches that one round of group commit may merge."""
    merge_events: int = 2_000
    """Events that one round may merge; a larger batch goes alone."""
    bulk_events: int = 5_000
    """Events in one transaction of a bulk import."""
    contiguous: bool = True
    """Whether versions must follow the stream's last one. The library's suites begin anywhere, so they switch it off."""
    clock_tolerance: float = 5.0
    """By how much host and database may disagree about the time before the writer stops."""
    poll_interval: float = 0.5
    """The floor under NOTIFY: a lost notification delays a reader by no more than this."""
    originator_id_type: OriginatorIdType = "text"
    """What the library is given as `originator_id`. Ours are text; the library's own default is uuid."""
