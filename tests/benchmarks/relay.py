"""How fast the log is carried to Kafka, beside the broker's own producer tool with records of the same size.

    python -m tests.benchmarks.relay [--cases 10000]

A synthetic log (about ten events a case) on an embedded server, durable; one real broker of Apache Kafka (KRaft). The relay reads, sends
and commits, with watermarks, in transactions; Kafka's `ProducerPerformance` sends as many records of the mean size, from memory,
acks=all and idempotent, to a topic of as many partitions. Both in one run, one after the other, three times; medians.
"""

from __future__ import annotations

import argparse
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

from infra.kafka.cluster import Cluster, KafkaConfig
from infra.kafka.relay import Relay
from infra.postgres.embedded import EmbeddedConfig, EmbeddedPostgres
from infra.postgres.migrations import migrate
from infra.postgres.recorder import PostgresLog
from tests.benchmarks.ledgers import execute
from tests.conftest import CHECKOUT
from tests.kafka_broker import broker
from tests.synthetic import synthetic_batches


def tool(config: KafkaConfig, records: int, size: int) -> float:
    """Records a second of Kafka's own tool."""
    done = subprocess.run(
        [
            *(str(CHECKOUT / "scripts/kafka"), "tool", "org.apache.kafka.tools.ProducerPerformance"),
            *("--topic", config.topic, "--num-records", str(records), "--record-size", str(size), "--throughput", "-1"),
            *("--producer-props", f"bootstrap.servers={config.bootstrap}", "acks=all", "enable.idempotence=true"),
            *("batch.size=262144", "linger.ms=5"),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    return float(re.findall(r"([\d.]+) records/sec", done.stdout)[-1])


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints a row a run, and the medians with their ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=10_000)
    options = parser.parse_args(arguments)
    with (
        tempfile.TemporaryDirectory() as folder,
        EmbeddedPostgres(EmbeddedConfig(data=Path(folder))) as server,
        broker() as kafka,
    ):
        execute(server.url(), "create database bench")
        url = server.url(database="bench")
        migrate(url)
        with PostgresLog(url) as log:
            for _ in log.append_bulk(synthetic_batches(options.cases)):
                pass
            head = log.head().position
            size = round(statistics.mean(len(each.entry) for each in log.read(0, 5_000)))
            print(
                f"{head:,} entries of {size} bytes in the mean\n\n| relay /s | producer tool /s | ratio |\n|---|---|---|"
            )
            ours, theirs = [], []
            for _ in range(3):
                config = KafkaConfig(kafka.address, topic=f"bench.{uuid4().hex}")
                relay = Relay(log, url, config, "bench")
                Cluster(config, "bench").prepare()
                began = time.perf_counter()
                relay.run(lambda: False, once=True)
                ours.append(head / (time.perf_counter() - began))
                other = KafkaConfig(kafka.address, topic=f"bench.{uuid4().hex}")
                Cluster(other, "bench").prepare()
                theirs.append(tool(other, head, size))
                print(f"| {ours[-1]:,.0f} | {theirs[-1]:,.0f} | {ours[-1] / theirs[-1]:.2f} |", flush=True)
            mine, tools = statistics.median(ours), statistics.median(theirs)
            print(f"| **{mine:,.0f}** | **{tools:,.0f}** | **{mine / tools:.2f}** |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
