"""The casework over HTTP: a case of 1,000 workers, sixteen clerks on one of them, and commands a second beside a bare route.

    python -m tests.benchmarks.casework [--workers 1000] [--clerks 16] [--seconds 8] [--clients 1 8 32]

Server, database (durable) and clients run on this machine, each in a process of its own; every figure is what a client saw, proof state
*recorded* in the answer. Pages are asked for after something was recorded in the case, so that each shows something new. The clerks take
rows of the same case in turns of five, everybody anywhere in it, without looking what the others do: verification, then payment; what is
refused is counted, and at the end every line must be verified and paid exactly once. The bare route checks a body of the same fields
and inserts one row: FastAPI, psycopg2 and the same PostgreSQL, nothing of ours.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit
from uuid import uuid4

import psycopg2

from infra.bootstrap import Settings, initialise, open_platform
from infra.postgres.embedded import EmbeddedConfig, EmbeddedPostgres
from tests.serving import started

PLACE = "140321"
BATCH = 200
ASKED = 600_000
"""Fen of every worker."""


@dataclass
class Client:
    """One person's connection."""

    address: str
    token: str = ""
    refused: Counter[str] = field(default_factory=Counter)
    spent: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(self.address).netloc, timeout=120)

    def ask(self, method: str, path: str, body: bytes | None, kind: str, *, timed: bool = True) -> tuple[int, bytes]:
        """Status and body; the time it took is kept."""
        headers = {"Authorization": f"Bearer {self.token}", "Cookie": f"qingling_session={self.token}"}
        began = time.perf_counter()
        self._connection.request(method, path, body, {**headers, "Content-Type": kind} if body else headers)
        response = self._connection.getresponse()
        answer = response.read()
        if timed:
            self.spent.append(time.perf_counter() - began)
        return response.status, answer

    def post(self, path: str, form: dict[str, Any], *, timed: bool = True) -> dict[str, Any]:
        """What was recorded; what was refused is counted by what it was refused for."""
        status, answer = self.ask("POST", path, json.dumps(form).encode(), "application/json", timed=timed)
        said: dict[str, Any] = json.loads(answer)
        if status >= 300:
            self.refused[f"{status} {said.get('rule') or said['type'].rpartition(':')[2]}"] += 1
        return said

    def get(self, path: str) -> bytes:
        """A page that must be there."""
        status, answer = self.ask("GET", path, None, "")
        assert status == 200, (status, answer[:400])
        return answer

    def upload(self, subject: str) -> dict[str, Any]:
        """A voucher."""
        status, answer = self.ask("POST", f"/v1/evidence?subject={subject}", b"a,b\n1,2\n", "text/csv", timed=False)
        assert status < 300, answer
        return dict(json.loads(answer))


@dataclass(frozen=True)
class Office:
    """Where the commands go, and the tokens of who gives them."""

    address: str
    tokens: Sequence[str]

    def client(self, number: int = 0) -> Client:
        """The connection of one of them."""
        return Client(self.address, self.tokens[number])


@contextmanager
def office(server: EmbeddedPostgres, folder: Path, clerks: int) -> Iterator[Office]:
    """A deployment of its own, served from a process of its own."""
    settings = Settings(data=folder, database_url=fresh(server))
    initialise(settings, origin="bench")
    with open_platform(settings, folding=True) as platform:
        tokens = [platform.add_officer(f"clerk{i}", jurisdiction=PLACE)[1] for i in range(clerks)]
        platform.wait_for(platform.head().position, timeout=60)
    process, address = started("--data", str(folder), "--database-url", settings.database_url, "serve")
    try:
        yield Office(address, tokens)
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)


def fresh(server: EmbeddedPostgres) -> str:
    """An empty database."""
    name = f"bench_{uuid4().hex}"
    connection = psycopg2.connect(server.url())
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(f"create database {name}")
    connection.close()
    return server.url(database=name)


def percentile(spent: Sequence[float], share: float) -> float:
    """In milliseconds."""
    return sorted(spent)[min(len(spent) - 1, int(len(spent) * share))] * 1000


def told(what: str, spent: Sequence[float], limit: int | None = None) -> None:
    """A row of the table."""
    aim = "" if limit is None else f"≤ {limit}"
    print(
        f"| {what} | {len(spent)} | {percentile(spent, 0.5):.0f} | {percentile(spent, 0.95):.0f} | {aim} |", flush=True
    )


def entered(clerk: Client, workers: int, *, timed: bool) -> str:
    """A case with so many lines, in batches; its id."""
    case = str(clerk.post("/v1/cases", {"debtor": "甲建筑公司", "funding": "private"}, timed=False)["thing"])
    for begin in range(0, workers, BATCH):
        lines = [
            {"worker": f"工人{i}", "worker_id": f"14032119900101{i:04}", "phone": f"139{i:08}", "claimed": ASKED}
            for i in range(begin, min(begin + BATCH, workers))
        ]
        clerk.post(f"/v1/cases/{case}/add-lines", {"lines": lines}, timed=timed)
    return case


def batches(workers: int, size: int) -> list[list[str]]:
    """Numbers of lines, so many at a time."""
    lines = [str(i) for i in range(1, workers + 1)]
    return [lines[i : i + size] for i in range(0, workers, size)]


def verified(lines: Sequence[str]) -> dict[str, Any]:
    """The form that determines them in full."""
    return {"lines": [{"claim": line, "verified": ASKED} for line in lines]}


def paid(lines: Sequence[str], voucher: dict[str, Any]) -> dict[str, Any]:
    """The form that pays them in full."""
    credited = [{"claim": line, "amount": ASKED, "paid_to": "own-account"} for line in lines]
    return {"source": "employer", "lines": credited, "evidence": [voucher]}


def big_case(office: Office, workers: int) -> None:
    """Batches of two hundred, and pages of the case between them."""
    clerk, checker, reader = office.client(), office.client(1), office.client(2)
    print("| a case of 1,000 workers | times | p50 ms | p95 ms | asked |\n|---|---|---|---|---|", flush=True)
    cases = [entered(clerk, workers, timed=True) for _ in range(3)]
    told(f"{BATCH} lines entered", clerk.spent, 500)
    whole = list(clerk.spent)
    steps: list[tuple[str, Client, Callable[[str, list[str]], tuple[str, dict[str, Any]]]]] = [
        ("verified", clerk, lambda _, lines: ("verify-lines", verified(lines))),
        ("paid", clerk, lambda case, lines: ("pay", paid(lines, clerk.upload(case)))),
        (
            "asked",
            checker,
            lambda _, lines: ("follow-up", {"answers": [{"claim": line, "answer": "received"} for line in lines]}),
        ),
    ]
    for name, client, form in steps:
        client.spent.clear()
        for case in cases:
            for lines in batches(workers, BATCH):
                verb, body = form(case, lines)
                client.post(f"/v1/cases/{case}/{verb}", body)
        told(f"{BATCH} lines {name}", client.spent, 500)
        whole += client.spent
    told("any such batch", whole, 500)
    for name, path in (("REST", f"/v1/cases/{quote(cases[0])}"), ("console", f"/zh/cases/{quote(cases[0])}")):
        reader.spent.clear()
        for number in range(60):
            clerk.post(
                f"/v1/cases/{cases[0]}/amend", {"debtor": "甲建筑公司", "reason": f"第 {number} 次更正"}, timed=False
            )
            reader.get(path)
        told(f"the case opened, {name}", reader.spent, 200)
    assert not clerk.refused + checker.refused, clerk.refused + checker.refused


def many_clerks(office: Office, workers: int, clerks: int) -> None:
    """All of them on one case, each taking five rows at a time from anywhere."""
    first = office.client()
    case = entered(first, workers, timed=False)
    voucher = first.upload(case)
    chance = random.Random(clerks)
    people = [office.client(number) for number in range(clerks)]
    began = time.perf_counter()
    for verb, form in (("verify-lines", verified), ("pay", lambda lines: paid(lines, voucher))):
        work = batches(workers, 5)
        chance.shuffle(work)
        turn = threading.Lock()

        def at_work(person: Client, verb: str = verb, form: Any = form, work: Any = work, turn: Any = turn) -> None:
            while True:
                with turn:
                    if not work:
                        return
                    lines = work.pop()
                person.post(f"/v1/cases/{case}/{verb}", form(lines))

        together(at_work, people)
    seconds = time.perf_counter() - began
    spent = [each for person in people for each in person.spent]
    refused: Counter[str] = sum((person.refused for person in people), Counter())
    values = json.loads(office.client().get(f"/v1/cases/{quote(case)}"))["values"]
    whole = workers * ASKED
    assert (values["verified"], values["paid"], values["owing"]) == (whole, whole, 0), (values, refused)
    print(
        f"\n{clerks} clerks on one case of {workers:,} workers: {len(spent)} commands in {seconds:.1f} s"
        f" ({len(spent) / seconds:.0f}/s), p50 {percentile(spent, 0.5):.0f} ms, p95 {percentile(spent, 0.95):.0f} ms;"
        f" refused {refused.total()} ({100 * refused.total() / len(spent):.2f} %) {dict(refused)}; nothing lost\n",
        flush=True,
    )


def together(work: Callable[[Client], None], people: Sequence[Client]) -> None:
    """All of them at once, until each is done."""
    threads = [threading.Thread(target=work, args=(person,)) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def rate(people: Sequence[Client], path: str, form: dict[str, Any], seconds: float) -> float:
    """Commands a second, of so many people who do nothing else."""
    until = time.perf_counter() + seconds

    def at_work(person: Client) -> None:
        while time.perf_counter() < until:
            person.post(path, form)

    began = time.perf_counter()
    together(at_work, people)
    refused: Counter[str] = sum((person.refused for person in people), Counter())
    assert not refused, refused
    return sum(len(person.spent) for person in people) / (time.perf_counter() - began)


def rates(office: Office, bare: str, clients: Sequence[int], seconds: float) -> None:
    """A complaint registered (its number, two events, sealed particulars) beside one row inserted, in turns."""
    complaint = {"channel": "visit", "complainant": "张三", "debtor": "甲公司", "headcount": 2, "amount": 100_000}
    print("| clients | complaints registered /s | bare rows /s | ratio |\n|---|---|---|---|", flush=True)
    for count in clients:
        ours, theirs = [], []
        for _ in range(3):
            people = [office.client(i % len(office.tokens)) for i in range(count)]
            ours.append(rate(people, "/v1/complaints", complaint, seconds))
            theirs.append(rate([Client(bare) for _ in range(count)], "/rows", complaint, seconds))
        mine, other = sorted(ours)[1], sorted(theirs)[1]
        print(f"| {count} | {mine:.0f} | {other:.0f} | {mine / other:.2f} |", flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=1_000)
    parser.add_argument("--clerks", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8, 32])
    options = parser.parse_args(arguments)
    with (
        tempfile.TemporaryDirectory() as folder,
        EmbeddedPostgres(EmbeddedConfig(data=Path(folder) / "pg")) as server,
        office(server, Path(folder) / "office", max(3, options.clerks)) as opened,
    ):
        big_case(opened, options.workers)
        many_clerks(opened, options.workers, options.clerks)
        process, bare = started("--database-url", fresh(server), module="tests.benchmarks.servers.bare")
        try:
            rates(opened, bare, options.clients, options.seconds)
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=60)
    return 0


if __name__ == "__main__":
    sys.exit(main())
