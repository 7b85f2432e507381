"""The examples of the OpenAPI document: real answers over the played campaign, their lists cut short.

python -m tests.api.examples        writes them anew after an answer has changed
"""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import quote

from fastapi.testclient import TestClient
from httpx2 import Response

from api.rest.documented import EXAMPLES
from tests.api.conftest import client_of
from tests.api.fake_platform import LATE_CASE, PAID_CASE, TOKEN, played

_CASE = "case-8048ba1b8c7e0dee"
ASKED = {
    "LogView": "/v1/log",
    "StatusView": "/v1/status",
    "SchemasView": "/v1/schemas",
    "schema": "/v1/schemas/payment.line-credited.v2",
    "CatalogueView": "/v1/ledgers",
    "LedgerPageView": "/v1/ledgers/claim?as_known_at=2019-12-31&order=owing&descending=true&limit=1",
    "LedgerRowView": f"/v1/ledgers/discrepancy/{quote('case-9cb52c9e9e7045bb/closed-but-owing')}",
    "VersionsView": "/v1/ledgers/payment/payment-8048ba1b8c7e0dee-1220/versions",
    "BoardView": "/v1/clearance?as_known_at=2020-01-15",
    "BehindView": "/v1/clearance/cases?case_class=in-year&checkpoint=year-end&measure=owing",
    "CompletenessView": "/v1/completeness?jurisdiction=140321",
    "CaseView": f"/v1/cases/{quote(PAID_CASE)}?as_known_at=2019-12-19",
    "CaseTimelineView": f"/v1/cases/{quote(PAID_CASE)}/timeline?as_known_at=2019-12-02",
    "ComparisonView": f"/v1/cases/{quote(LATE_CASE)}/comparison?day=2019-12-31",
    "LayoutsView": "/v1/sheets/layouts",
    "WhyView": f"/v1/cases/{quote(PAID_CASE)}/why?word=solved",
    "EventView": "/v1/events/36",
    "proof": "/v1/events/36/proof",
    "CheckpointNote": "/v1/log/checkpoint",
    "ConsistencyView": "/v1/log/consistency?old=40",
    "entry": "/v1/events/36/entry",
    "StreamView": "/v1/streams/payment-8048ba1b8c7e0dee-1220",
}
"""By view model: the address whose answer is its example."""
WHOLENESS = {
    "CommittedView": ("POST", "/v1/log/wholeness?wait=published"),
    "WholenessView": ("GET", "/v1/log/wholeness"),
}
"""By view model: what is done for its example, in this order."""
COMMANDS: dict[str, tuple[str, dict[str, Any]]] = {
    "RecordedView": (
        "/v1/complaints",
        {
            "channel": "visit",
            "complainant": "张三",
            "debtor": "盂县宏远装饰工程队",
            "headcount": 3,
            "amount": 4_200_000,
        },
    ),
}
"""By view model: the command whose answer is its example, and its form."""
GIVEN = {"ThingView": "/v1/complaints/140300-202001-0001LF"}
"""By view model: the address whose answer is its example, of what was recorded for the others."""
OFFICER = {"Authorization": f"Bearer {TOKEN}"}


def made(client: TestClient) -> dict[str, Any]:
    """The examples as they are answered now; what is recorded for them comes last."""
    read = {name: _cut(_content(client.get(address))) for name, address in ASKED.items()}
    bound = {name: _cut(_content(client.request(*asked, headers=OFFICER))) for name, asked in WHOLENESS.items()}
    given = {
        name: _cut(_content(client.post(address, json=form, headers=OFFICER)))
        for name, (address, form) in COMMANDS.items()
    }
    sheet = "姓名,欠薪金额\n张三,6000\n李四,六千\n".encode()
    read["SheetView"] = _content(client.post("/v1/sheets/case/add-lines?name=a.csv", content=sheet, headers=OFFICER))
    uploaded = {
        "EvidenceView": _blanked(
            _content(client.post("/v1/evidence", files={"file": ("名册.csv", b"worker,amount\n")}, headers=OFFICER))
        )
    }
    digest = client.post("/v1/evidence", files={"file": ("a.csv", b"a,b\n")}, headers=OFFICER).json()["sha256"]
    stored = {"StoredEvidenceView": _blanked(_content(client.get(f"/v1/evidence/{digest}/about")))}
    there = {name: _blanked(_cut(_content(client.get(address)))) for name, address in GIVEN.items()}
    return read | bound | given | uploaded | stored | there


def _blanked(value: Any) -> Any:
    """With what is random put in the form that it has."""
    if isinstance(value, dict):
        return {name: _blanked(item) for name, item in value.items()}
    if isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value):
        return "0123456789abcdef" * 4
    if isinstance(value, str):
        return _RANDOM.sub(lambda found: f"{found[1]}-0123456789abcdef", value)
    return [_blanked(item) for item in value] if isinstance(value, list) else value


_RANDOM = re.compile(r"\b(person|complaint\.register)-[0-9a-z-]+")


def _content(response: Response) -> Any:
    response.raise_for_status()
    return response.text if response.headers["Content-Type"].startswith("text/") else response.json()


def _cut(value: Any) -> Any:
    if isinstance(value, list):
        return [_cut(item) for item in value[:2]]
    if isinstance(value, dict):
        return {name: _cut(item) for name, item in value.items()}
    return value


if __name__ == "__main__":
    EXAMPLES.write_text(json.dumps(made(client_of(played())), ensure_ascii=False, indent=1) + "\n", "utf-8")
