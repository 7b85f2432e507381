"""An office to tell stories in: officers with tokens, who record through REST alone, on a log in memory.

What a story asserts it reads through REST too. Days of the winter pass when the office says so; between two acts some seconds pass.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, cast
from urllib.parse import quote

from fastapi.testclient import TestClient

from api.reading import Reader, Reading
from domain.campaigns.campaign import WINTER_2019
from domain.campaigns.genesis import GENESIS_STREAM, Genesis, LogKind
from domain.officers.officer import Officer
from tests.api.conftest import client_of
from tests.api.fake_platform import PLACES, FakePlatform, at, moment

PINGDING, YUXIAN, CITY = "140321", "140322", "140300"
OFFICERS = {"zhao": PINGDING, "qian": PINGDING, "sun": PINGDING, "yu": YUXIAN, "city": CITY}
"""A handler, the officer who approves, the one who telephones; one of the next county; one of the leading-group office."""
YUAN = 100
"""Fen."""


class Dated(FakePlatform):
    """A platform whose days are told by the story."""

    day: datetime = moment(11, 20, 8)

    def now(self) -> datetime:
        return max(super().now(), self.day)


class Office:
    """See the module."""

    def __init__(self) -> None:
        self.platform = Dated(LogKind.SIMULATION)
        genesis = Genesis(
            id=GENESIS_STREAM,
            kind=LogKind.SIMULATION,
            origin=self.platform.info.origin,
            root=CITY,
            places=PLACES,
            timezone="Asia/Shanghai",
            currency="CNY",
            campaign=WINTER_2019,
            provenance=at(moment(11, 15, 8)),
        )
        self.platform.record(genesis, moment(11, 15, 8))
        self.platform.genesis = genesis
        for number, (handle, place) in enumerate(OFFICERS.items(), start=1):
            officer = Officer(id=f"officer-{number:08d}", handle=handle, place=place, provenance=at(moment(11, 15, 8)))
            officer.issue_token(hashlib.sha256(handle.encode()).hexdigest(), "desk", at(moment(11, 15, 8)))
            self.platform.record(officer, moment(11, 15, 8))
        self.client: TestClient = client_of(self.platform)

    def on(self, month: int, day: int, hour: int = 9) -> None:
        """It is that day of the winter now, or later."""
        self.platform.day = moment(month, day, hour)

    # Recording

    def post(self, by: str, address: str, form: Mapping[str, Any], /, **headers: str) -> Any:
        """What REST answers."""
        return self.client.post(f"/v1/{address}", json=dict(form), headers={"Authorization": f"Bearer {by}", **headers})

    def do(self, by: str, address: str, /, **form: Any) -> dict[str, Any]:
        """A command that is recorded."""
        response = self.post(by, address, form)
        assert response.status_code in (200, 201), response.text
        return dict(response.json())

    def refused(self, by: str, address: str, /, **form: Any) -> str:
        """A command that is refused: the rule, else what kind of problem it is. Nothing of it is recorded."""
        before = self.platform.log.head()
        response = self.post(by, address, form)
        assert 400 <= response.status_code < 500, response.text
        problem = response.json()
        assert response.headers["Content-Type"] == "application/problem+json"
        assert self.platform.log.head() == before
        return str(problem.get("rule") or problem["type"].rpartition(":")[2])

    def file(self, subject: str | None = None, content: bytes = b"signed", by: str = "zhao") -> dict[str, Any]:
        """An evidence file that was handed in."""
        asked = f"?subject={subject}" if subject else ""
        sent: dict[str, Any] = {"file": ("voucher.pdf", b"%PDF-1.4\n" + content)}
        response = self.client.post(f"/v1/evidence{asked}", files=sent, headers={"Authorization": f"Bearer {by}"})
        assert response.status_code in (200, 201), response.text
        return dict(response.json())

    # The usual way of a case

    def complaint(self, by: str = "zhao", **form: Any) -> str:
        """A complaint that came in; its number."""
        said = {"channel": "visit", "complainant": "张三", "debtor": "甲公司", "headcount": 2, "amount": 1_000 * YUAN}
        return str(self.do(by, "complaints", **{**said, **form})["number"])

    def case(self, *claimed: int, by: str = "zhao", **form: Any) -> str:
        """A case with a named line of so many yuan each; its id."""
        case = str(self.do(by, "cases", **{"debtor": "甲公司", "funding": "private", **form})["thing"])
        if claimed:
            self.lines(case, *claimed, by=by)
        return case

    def lines(self, case: str, *claimed: int, by: str = "zhao") -> None:
        """Named lines of so many yuan each."""
        self.add(case, [{"worker": f"工人{amount}", "claimed": amount * YUAN} for amount in claimed], by=by)

    def add(self, case: str, lines: list[dict[str, Any]], by: str = "zhao") -> None:
        """Lines as they are given."""
        self.do(by, f"cases/{case}/add-lines", lines=lines)

    def verify(self, case: str, by: str = "zhao", **verified: int) -> None:
        """Lines determined in full: `_1=500` is line 1 with 500 yuan."""
        lines = [{"claim": name[1:], "verified": amount * YUAN} for name, amount in verified.items()]
        self.do(by, f"cases/{case}/verify-lines", lines=lines)

    def reject(self, case: str, line: str, verified: int, rejected: int, by: str = "zhao") -> None:
        """A line determined in part or to nothing, its worker told."""
        row = {"claim": line, "verified": verified * YUAN, "rejected": rejected * YUAN, "ground": "考勤不符"}
        self.do(by, f"cases/{case}/verify-lines", lines=[row], told=self.told())

    def told(self) -> dict[str, str]:
        """That somebody was told, now."""
        return {"on": self.platform.now().isoformat(), "how": "当面", "remedy": "劳动仲裁"}

    def roster(self, case: str) -> None:
        """The roster declared complete, and confirmed by another officer."""
        self.do("zhao", f"cases/{case}/declare-roster")
        self.do("qian", f"cases/{case}/confirm-roster")

    def pay(self, case: str, by: str = "zhao", *, documented: bool = True, **paid: int) -> str:
        """Lines credited in person: `_1=500` is line 1 with 500 yuan. The payment's id."""
        lines = [
            {"claim": name[1:], "amount": amount * YUAN, "paid_to": "own-account"} for name, amount in paid.items()
        ]
        evidence = [self.file(case)] if documented else []
        said = self.do(by, f"cases/{case}/pay", source="employer", lines=lines, evidence=evidence)
        return next(event["stream"] for event in said["events"] if event["type"].startswith("payment."))

    def close(self, case: str, outcome: str = "paid") -> None:
        """Proposed by the handler, approved by another officer."""
        self.do("zhao", f"cases/{case}/propose-closing", outcome=outcome, ground="已付清")
        self.do("qian", f"cases/{case}/approve-closing")

    def write_off(self, case: str) -> None:
        """Taken off the books by the leading-group office."""
        self.do("city", f"cases/{case}/write-off", ground="凭证已核")

    def ask(self, case: str, by: str = "sun", **answers: str | tuple[str, int]) -> None:
        """Workers asked by telephone: `_1="received"`, or `_1=("less", 300)`."""
        rows = []
        for name, said in answers.items():
            answer, amount = said if isinstance(said, tuple) else (said, None)
            row: dict[str, Any] = {"claim": name[1:], "answer": answer}
            if amount is not None:
                row["amount"] = amount * YUAN
            rows.append(row)
        self.do(by, f"cases/{case}/follow-up", answers=rows)

    def paid_case(self, *claimed: int) -> str:
        """A case whose lines are determined and paid in full, with vouchers; solved."""
        case = self.case(*claimed)
        amounts: dict[str, Any] = {f"_{line}": amount for line, amount in enumerate(claimed, start=1)}
        self.verify(case, **amounts)
        self.roster(case)
        self.pay(case, **amounts)
        return case

    # Looking

    def reading(self, by: str) -> Reading:
        """The platform as an officer reads it."""
        return Reading(cast(Any, self.platform), Reader(self.platform.authenticate(by), self.platform.info.kind))

    def get(self, address: str, by: str = "zhao", **asked: Any) -> Any:
        """What REST shows."""
        response = self.client.get(f"/v1/{address}", params=asked, headers={"Authorization": f"Bearer {by}"})
        assert response.status_code == 200, response.text
        return response.json()

    def words(self, case: str, **asked: Any) -> set[str]:
        """The computed words that hold of a case. The explanation says the same, or the story ends here."""
        view = self.get(f"cases/{quote(case)}", **asked)
        said = {word["name"] for word in view["computed"] if word["holds"]}
        why = self.get(f"cases/{quote(case)}/why", **asked)
        assert {word["name"] for word in why["words"] if word["holds"]} == said
        return said

    def figures(self, case: str, **asked: Any) -> dict[str, int]:
        """What a case stands at, in yuan where it is money."""
        values = self.get(f"cases/{quote(case)}", **asked)["values"]
        money = ("claimed", "verified", "paid", "owing", "overpaid", "waived", "disputed", "custody", "unallocated")
        return {name: values[name] // YUAN for name in money if values.get(name) is not None}

    def why_not(self, case: str, word: str = "solved") -> set[str]:
        """The conditions that keep a word from holding."""
        [said] = self.get(f"cases/{quote(case)}/why", word=word)["words"]
        return {condition["name"] for condition in said["conditions"] if not condition["holds"]}

    def rows(self, ledger: str, **filters: Any) -> list[dict[str, Any]]:
        """Values of a ledger's rows."""
        return [row["values"] for row in self.get(f"ledgers/{ledger}", limit=200, **filters)["rows"]]

    def discrepancies(self, case: str) -> set[str]:
        """The discrepancies of a case."""
        return {each["values"]["kind"] for each in self.get(f"cases/{quote(case)}")["discrepancies"]}

    def cell(self, case_class: str, checkpoint: str, place: str = PINGDING, **asked: Any) -> dict[str, Any]:
        """A cell of the board of one place; empty where there is none."""
        cells = self.get("clearance", jurisdiction=place, **asked)["cells"]
        found = (each for each in cells if (each["case_class"], each["checkpoint"]) == (case_class, checkpoint))
        return dict(next(found, {}))

    def position(self) -> int:
        """The log's last position."""
        return self.platform.head().position


def soon(office: Office, days: int = 10) -> datetime:
    """A time some days ahead."""
    return office.platform.now() + timedelta(days=days)
