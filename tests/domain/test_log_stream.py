"""The log's own stream: keys, commitments and what it continues."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from domain.campaigns.campaign import WINTER_2019
from domain.campaigns.genesis import GENESIS_STREAM, Genesis, LogKind
from domain.errors import RuleError
from domain.jurisdictions import Jurisdiction
from domain.sealing.checkpoint import Checkpoint
from domain.sealing.sorted_map import MapHead
from domain.streams import Provenance

MOMENT = datetime(2019, 12, 2, 8, 0, tzinfo=UTC)
PROVENANCE = Provenance(occurred=MOMENT, received=MOMENT)
HEAD = MapHead(3, bytes(range(32)))


def begun() -> Genesis:
    genesis = Genesis(
        id=GENESIS_STREAM,
        kind=LogKind.REAL,
        origin="yangquan-1",
        root="140300",
        places=(Jurisdiction(code="140300", name_zh="阳泉市", name_en="Yangquan"),),
        timezone="Asia/Shanghai",
        currency="CNY",
        campaign=WINTER_2019,
        provenance=PROVENANCE,
    )
    genesis.collect_events()
    return genesis


def test_a_key_is_announced_once_and_names_the_one_before() -> None:
    genesis = begun()
    genesis.announce_key("first", PROVENANCE)
    genesis.announce_key("first", PROVENANCE)
    genesis.announce_key("second", PROVENANCE, reason="yearly")
    events: list[Any] = list(genesis.collect_events())
    assert [(e.vkey, e.replaces, e.reason) for e in events] == [("first", None, None), ("second", "first", "yearly")]
    assert genesis.keys == ("first", "second")


def test_the_log_is_bound_to_its_maps_in_the_order_of_positions() -> None:
    genesis = begun()
    genesis.commit_wholeness(7, HEAD, MapHead(2, bytes(32)), PROVENANCE)
    assert genesis.commitment is not None
    assert (genesis.commitment.upto, genesis.commitment.streams.head) == (7, HEAD)
    assert genesis.commitment.partitions.head == MapHead(2, bytes(32))
    with pytest.raises(RuleError, match="as of position 7 already"):
        genesis.commit_wholeness(6, HEAD, HEAD, PROVENANCE)
    assert len(genesis.collect_events()) == 1


def test_a_log_that_goes_on_for_a_lost_one_cites_its_last_checkpoint() -> None:
    genesis = begun()
    genesis.continue_from(Checkpoint("yangquan-0", 9, bytes(32)), "the note\n", PROVENANCE)
    continued: Any = genesis.collect_events()[0]
    assert (continued.origin, continued.size, continued.root, continued.note) == (
        "yangquan-0",
        9,
        "00" * 32,
        "the note\n",
    )
    assert genesis.continues == "yangquan-0"


def test_a_key_is_retired_once_and_never_the_last_one() -> None:
    genesis = begun()
    genesis.announce_key("first", PROVENANCE)
    with pytest.raises(RuleError, match="only key"):
        genesis.retire_key("first", PROVENANCE)
    genesis.announce_key("second", PROVENANCE)
    with pytest.raises(RuleError, match="never announced"):
        genesis.retire_key("third", PROVENANCE)
    genesis.retire_key("first", PROVENANCE, reason="lost")
    genesis.retire_key("first", PROVENANCE)
    with pytest.raises(RuleError, match="only key"):
        genesis.retire_key("second", PROVENANCE)
    assert (genesis.keys, genesis.retired) == (("first", "second"), ("first",))
    assert len(genesis.collect_events()) == 3
