"""Random acts by random officers on one case, through REST: no computed word contradicts its formula, and what was refused left nothing.

The formulas are written again here, plainly, over the events of the log alone (definitions.md): every claim line with what became of it,
and nothing of `domain/` or `projections/` in between.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.conftest import SOAKING
from tests.stories.office import YUAN, Office

pytestmark = pytest.mark.slow

BY = st.sampled_from(["zhao", "qian", "sun", "city"])
LINE = st.sampled_from(["1", "2", "3"])
AMOUNT = st.sampled_from([0, 100, 200, 300])


class Plainly:
    """The words of one case, computed from its entries as they stand in the log."""

    def __init__(self, entries: list[dict[str, Any]]) -> None:
        self.claims: dict[str, dict[str, Any]] = {}
        self.credited: dict[tuple[str, int], dict[str, Any]] = {}
        self.declared_by: str | None = None
        self.roster: set[str] | None = None
        self.changed = False
        self.proposed: str | None = None
        self.closed: str | None = None
        self.off = False
        for entry in entries:
            read = getattr(self, "_" + entry["type"].replace(".", "_").replace("-", "_").rpartition("_v")[0], None)
            if read is not None:
                read(entry, entry["data"])

    def _claim_stated(self, entry: dict[str, Any], data: dict[str, Any]) -> None:
        self.claims[entry["subject"]] = {
            "claimed": data["figures"].get("claimed"),
            "verified": None,
            "pending": True,
            "told": False,
            "said": None,
            "times": 0,
        }

    def _claim_verified(self, entry: dict[str, Any], data: dict[str, Any]) -> None:
        claim = self.claims[entry["subject"]]
        claim.update(
            verified=data["verified"],
            pending=False,
            told=claim["told"] or data.get("told") is not None,
            times=claim["times"] + 1,
            disputed=data.get("disputed", 0),
        )
        if claim["times"] > 1:
            self.changed = True

    def _claim_worker_told(self, entry: dict[str, Any], data: dict[str, Any]) -> None:
        self.claims[entry["subject"]]["told"] = True

    def _claim_followed_up(self, entry: dict[str, Any], data: dict[str, Any]) -> None:
        if data["answer"] in ("received", "less", "not-received"):
            self.claims[entry["subject"]]["said"] = (data["answer"], data.get("amount"))

    def _payment_line_credited(self, entry: dict[str, Any], data: dict[str, Any]) -> None:
        grade = data.get("basis") or entry.get("basis")
        self.credited[entry["subject"], data["line"]] = {**data, "left": data["amount"], "grade": grade}

    def _payment_line_reversed(self, entry: dict[str, Any], data: dict[str, Any]) -> None:
        self.credited[entry["subject"], data["line"]]["left"] -= data["amount"]

    _payment_line_returned = _payment_line_reversed

    def _case_roster_declared(self, entry: dict[str, Any], data: dict[str, Any]) -> None:
        self.roster = None

    def _case_roster_confirmed(self, entry: dict[str, Any], data: dict[str, Any]) -> None:
        self.roster, self.changed = set(self.claims), False

    def _case_closed(self, entry: dict[str, Any], data: dict[str, Any]) -> None:
        self.closed = data["outcome"]

    def _case_reopened(self, entry: dict[str, Any], data: dict[str, Any]) -> None:
        self.closed, self.off = None, False

    def _case_written_off(self, entry: dict[str, Any], data: dict[str, Any]) -> None:
        self.off = True

    def paid(self) -> dict[str, int]:
        """By claim line, less what came back."""
        found: dict[str, int] = defaultdict(int)
        for line in self.credited.values():
            if line["claim"]:
                found[line["claim"]] += line["left"]
        return found

    def owing(self) -> int:
        """ΣO: what each line is owed, never netted between lines."""
        paid = self.paid()
        return sum(max(0, (claim["verified"] or 0) - paid[key]) for key, claim in self.claims.items())

    def determined(self) -> bool:
        """核清."""
        return (
            self.roster is not None
            and bool(self.claims)
            and self.roster == set(self.claims)
            and not self.changed
            and not any(claim["pending"] for claim in self.claims.values())
        )

    def solved(self) -> bool:
        """解决."""
        return (
            self.determined()
            and self.owing() == 0
            and not any(claim.get("disputed") for claim in self.claims.values())
            and all(line["grade"] != "stated" for line in self.credited.values() if line["claim"] and line["left"])
            and not any(claim["said"] and claim["said"][0] != "received" for claim in self.claims.values())
            and all(claim["told"] for claim in self.claims.values() if claim["verified"] == 0)
        )

    def words(self) -> dict[str, bool]:
        """The words that this plain reading computes."""
        solved = self.solved()
        return {
            "determined": self.determined(),
            "solved": solved,
            "closed": self.closed is not None,
            "written_off": self.off and self.closed in ("paid", "no-arrears") and solved,
        }


class Casework(RuleBasedStateMachine):
    """One case of three lines, and officers who do what they like with it."""

    def __init__(self) -> None:
        super().__init__()
        self.office = Office()
        self.voucher = 0

    @initialize()
    def begin(self) -> None:
        self.case = self.office.case(100, 200, 300)
        self.file = self.office.file(self.case)

    def act(self, by: str, verb: str, **form: Any) -> None:
        """An act that is recorded or refused; refused, it leaves nothing."""
        before = self.office.platform.log.head()
        response = self.office.post(by, f"cases/{self.case}/{verb}", form)
        assert response.status_code < 500, response.text
        if response.status_code >= 400:
            assert response.headers["Content-Type"] == "application/problem+json"
            assert self.office.platform.log.head() == before
        else:
            recorded = response.json()["events"]
            assert self.office.platform.log.head().position == before.position + len(recorded)

    @rule(by=BY, line=LINE, verified=AMOUNT, tell=st.booleans())
    def verify(self, by: str, line: str, verified: int, tell: bool) -> None:
        claimed = int(line) * 100
        row: dict[str, Any] = {"claim": line, "verified": verified * YUAN}
        if verified < claimed:
            row |= {"rejected": (claimed - verified) * YUAN, "ground": "考勤不符"}
        self.act(by, "verify-lines", lines=[row], **({"told": self.office.told()} if tell else {}))

    @rule(by=BY)
    def verify_all(self, by: str) -> None:
        self.act(by, "verify-lines", lines=[{"claim": str(n), "verified": n * 100 * YUAN} for n in (1, 2, 3)])

    @rule(by=BY)
    def declare(self, by: str) -> None:
        self.act(by, "declare-roster")

    @rule(by=BY)
    def confirm(self, by: str) -> None:
        self.act(by, "confirm-roster")

    @rule(by=BY, line=LINE, amount=AMOUNT, documented=st.booleans())
    def pay(self, by: str, line: str, amount: int, documented: bool) -> None:
        self.voucher += 1
        lines = [{"claim": line, "amount": amount * YUAN, "paid_to": "own-account"}]
        evidence = [self.file] if documented else []
        self.act(by, "pay", source="employer", lines=lines, evidence=evidence, voucher=f"凭{self.voucher}")

    @rule(by=BY)
    def pay_all(self, by: str) -> None:
        self.voucher += 1
        lines = [{"claim": str(n), "amount": n * 100 * YUAN, "paid_to": "own-account"} for n in (1, 2, 3)]
        self.act(by, "pay", source="employer", lines=lines, evidence=[self.file], voucher=f"凭{self.voucher}")

    @rule(by=BY, amount=AMOUNT)
    def take_back(self, by: str, amount: int) -> None:
        payments = self.office.get(f"cases/{self.case}")["payments"]
        if payments:
            form = {"line": 1, "amount": amount * YUAN, "reason": "冲销"}
            self.office.post(by, f"payments/{payments[-1]['key']}/give-back", form)

    @rule(
        by=BY, line=LINE, answer=st.sampled_from(["received", "less", "not-received", "unreachable", "refused-to-say"])
    )
    def ask(self, by: str, line: str, answer: str) -> None:
        row: dict[str, Any] = {"claim": line, "answer": answer}
        if answer == "less":
            row["amount"] = 50 * YUAN
        self.act(by, "follow-up", answers=[row])

    @rule(by=BY, outcome=st.sampled_from(["paid", "no-arrears", "judicial"]))
    def propose(self, by: str, outcome: str) -> None:
        self.act(by, "propose-closing", outcome=outcome, ground="核查")

    @rule(by=BY)
    def approve(self, by: str) -> None:
        self.act(by, "approve-closing")

    @rule(by=BY)
    def write_off(self, by: str) -> None:
        self.act(by, "write-off", ground="凭证已核")

    @rule(by=BY)
    def reopen(self, by: str) -> None:
        self.act(by, "reopen", ground="又反映")

    @rule(by=BY, amount=AMOUNT)
    def add(self, by: str, amount: int) -> None:
        if len(self.office.get(f"cases/{self.case}")["claims"]) < 5:
            self.act(by, "add-lines", lines=[{"worker": "另一人", "claimed": amount * YUAN}])

    @rule(upto=st.integers(2, 8))
    def go_the_usual_way(self, upto: int) -> None:
        """Chance alone hardly ever comes to the end of a case."""
        usual = [
            lambda: self.verify_all("zhao"),
            lambda: self.declare("zhao"),
            lambda: self.confirm("qian"),
            lambda: self.pay_all("zhao"),
            lambda: self.propose("zhao", "paid"),
            lambda: self.approve("qian"),
            lambda: self.write_off("city"),
        ]
        for step in usual[:upto]:
            step()

    @invariant()
    def no_word_contradicts_its_formula(self) -> None:
        if not hasattr(self, "case"):
            return
        stored = self.office.platform.log.read_partition(self.case)
        plainly = Plainly([msgspec.json.decode(each.entry) for each in stored])
        view = self.office.get(f"cases/{self.case}")
        for word in view["computed"]:
            if word["holds"]:
                event(word["name"])
        held = {word["name"]: word["holds"] for word in view["computed"] if word["name"] != "confirmed"}
        assert held == plainly.words()
        assert view["values"]["owing"] == plainly.owing()
        assert view["values"]["paid"] == sum(plainly.paid().values())

    def teardown(self) -> None:
        self.office.client.close()


Casework.TestCase.settings = settings(
    max_examples=150 if SOAKING else 12, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
TestCasework = Casework.TestCase
