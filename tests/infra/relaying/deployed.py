"""Deployments that a cluster is part of, and `qingling` in a process of its own for them."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from infra.bootstrap import Settings, initialise, open_platform
from infra.kafka.cluster import KafkaConfig
from tests.infra.relaying.relays import grow
from tests.postgres_server import fresh_database, server


def deployed(folder: Path, kafka: str, *, database_url: str = "", replicas: int = 1, cases: int = 10) -> Settings:
    """A log of some cases, of eleven events each, that nobody relayed yet; topics of four partitions, named after the folder."""
    settings = Settings(
        data=folder / "data",
        database_url=database_url or fresh_database(server()),
        kafka=kafka,
        kafka_topic=f"test.{folder.name}",
        kafka_partitions=4,
        kafka_replicas=replicas,
    )
    initialise(settings, origin="test")
    with open_platform(settings) as platform:
        grow(platform.log, cases)
    return settings


def config_of(settings: Settings) -> KafkaConfig:
    """The topics of such a deployment."""
    replicas = settings.kafka_replicas
    return KafkaConfig(
        settings.kafka, settings.kafka_topic, settings.kafka_partitions, replicas, in_sync=max(1, replicas - 1)
    )


def command(arguments: Sequence[str]) -> list[str]:
    """A verb of `qingling`, for a process."""
    return [sys.executable, "-m", "api.cli.main", *arguments]


def environment(settings: Settings) -> dict[str, str]:
    """What such a process finds its deployment by."""
    return {
        **os.environ,
        "QINGLING_DATA": str(settings.data),
        "QINGLING_DATABASE_URL": settings.database_url,
        "QINGLING_KAFKA": settings.kafka,
        "QINGLING_KAFKA_TOPIC": settings.kafka_topic,
        "QINGLING_KAFKA_PARTITIONS": str(settings.kafka_partitions),
        "QINGLING_KAFKA_REPLICAS": str(settings.kafka_replicas),
        "QINGLING_LANGUAGE": "en",
    }
