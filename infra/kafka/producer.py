"""The client's transactional producer, with an end to every wait.

Its own `commit_transaction` and `flush` wait for a network that is cut as long as it is cut, and its `close` gives up with the sending
thread still running when something is unsent.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Final

from kafka import KafkaProducer
from kafka.errors import KafkaError, KafkaTimeoutError, UnknownTopicOrPartitionError

from infra.kafka.cluster import KafkaConfig, troubles

_DELIVERY: Final = 30.0
"""Seconds in which a record must be with the brokers. A partition whose leader was killed has the next one after about nine."""
_ANSWER: Final = 20.0
"""Seconds that a broker may take for an answer; as long may beginning last. Megabytes are on their way to it, perhaps slowly."""
_AGAIN: Final = 20
"""Milliseconds before a request is made again. The broker ends a transaction a moment after it was committed, and refuses the first
request of the next one until then, so nearly every transaction that follows at once waits for so long."""
_CLOSING: Final = 5.0
_LOOKING: Final = 3.0
"""Seconds for a topic that was there to be there again."""


class BoundedProducer(KafkaProducer):  # type: ignore[misc] # the client ships no types
    """Its `flush`, `commit_transaction` and `close` end; the first two with `KafkaTimeoutError`, if need be."""

    def send(self, topic: str, **record: Any) -> Any:
        """As the client's; a partition that is gone is an error of Kafka's like others."""
        try:
            return super().send(topic, **record)
        except ValueError as error:
            raise UnknownTopicOrPartitionError(str(error)) from error

    def partitions_for(self, topic: str) -> set[int]:
        """The partitions of a topic, as they were known a moment ago. One that was deleted is waited for, not for long.

        Raises:
            KafkaTimeoutError: it is not there.
        """
        partitions: set[int] = self._wait_on_metadata(topic, _LOOKING * 1_000)
        return partitions

    def flush(self, timeout: float | None = None) -> None:
        """Waits until everything is with the brokers; by default a little longer than a record may take."""
        super().flush(_DELIVERY + 5 if timeout is None else timeout)

    def commit_transaction(self) -> None:
        """Commits. After a time-out it is open whether it did; who initialises the next producer of this id brings it to an end."""
        result = self._transaction_manager.begin_commit()
        self._sender.wakeup()
        if not result.wait(timeout_ms=_DELIVERY * 1_000):
            raise KafkaTimeoutError(f"no answer to a commit within {_DELIVERY:.0f} s")

    def close(self, timeout: float | None = None, **more: Any) -> None:
        """Ends it and its thread; with a `timeout` of 0 at once, else whatever can be sent within it is. Raises no error of the client."""
        with suppress(KafkaError):
            super().close(_CLOSING if timeout is None else timeout, **more)
        sender = getattr(self, "_sender", None)
        if sender is not None and sender.is_alive():
            sender.force_close()


def transactional(config: KafkaConfig, name: str) -> BoundedProducer:
    """The only producer of a transactional id from now on; an older one is refused by the brokers, and its open transaction ended.

    Raises:
        DistributionError: the cluster cannot be reached, or refuses.
    """
    with troubles("becoming the producer"):
        producer = BoundedProducer(
            **config.client
            | {
                "transactional_id": name,
                "acks": "all",
                "linger_ms": 100,  # batches fill while they are made; nothing waits so long, for a flush ends every one of ours
                "batch_size": 1 << 20,
                "max_request_size": 1 << 22,
                "allow_auto_create_topics": False,
                "retry_backoff_ms": _AGAIN,
                "request_timeout_ms": int(_ANSWER * 1_000),
                "max_block_ms": int(_ANSWER * 1_000),
                "delivery_timeout_ms": int(_DELIVERY * 1_000),
            },
        )
        try:
            producer.init_transactions()
        except BaseException:
            producer.close(timeout=0)
            raise
    return producer
