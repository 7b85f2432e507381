"""What is handed out of the provable log: proofs, receipts, and the commitment to all histories.

Guarantees: nothing is handed out of an event that the reader may not see. A receipt is made of a proof that was verified in here; proof
and receipt bear nothing of the event but its position, its hash and, on the receipt, when it was recorded: no name, subject or officer.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from api.reading import Reading
from api.views.event import recorded_event
from api.views.sealing import CheckpointNote, KeyView, checkpoint_note, key_view, progress, waits_for
from api.views.values import local
from api.views.view import LogTag, Said, View, log_tag
from domain.errors import NotFoundError, NotReadyError
from domain.sealing.checkpoint import open_checkpoint, parse_checkpoint
from domain.sealing.encoding import base64_of
from domain.sealing.note import parse_note
from domain.sealing.proof_file import SUFFIX
from domain.sealing.receipt import parse_receipt


def require_published(reading: Reading, position: int) -> None:
    """Refuses before an event is published.

    Raises:
        NotReadyError: it is not published yet, with what it waits for; `position` is how far the checkpoint reaches.
    """
    reached = progress(reading)
    waiting = waits_for(reading, reached.state(position))
    if waiting is not None:
        raise NotReadyError(f"position {position} is not published yet. {waiting.en}", position=reached.published)


# ------------------------------------------------------------------------------------------------- proofs and receipts


def proof_name(origin: str, position: int) -> str:
    """The name of a proof's file: `<origin>-<position>.tlog-proof`, in characters that every file system and header takes."""
    return f"{re.sub(r'[^A-Za-z0-9_.-]', '_', origin)}-{position}{SUFFIX}"


def proof_file(reading: Reading, position: int) -> bytes:
    """The proof of a published event, as the file that is handed out.

    Raises:
        NotFoundError: nothing is recorded there, or nothing that the reader may see.
        NotReadyError: it is not published yet, with what it waits for.
        VerificationError: what is recorded is not what was sealed.
    """
    recorded_event(reading, position)
    require_published(reading, position)
    return reading.platform.sealing.proof(position).data


class CosignatureView(View):
    """A witness that cosigned the receipt's checkpoint."""

    name: str
    key: KeyView
    at: str
    """When, by the witness's clock."""


class ReceiptView(View):
    """What stands on a receipt: no name, no subject, no officer, nothing that the event says."""

    log: LogTag
    position: int
    recorded: str
    """When the event came into the log, local time."""
    text: str
    """What the QR code holds."""
    leaf: str
    """The RFC 6962 leaf hash of the event, 64 hexadecimal digits."""
    checkpoint: int
    """Size of the checkpoint that the proof leads to."""
    signed_by: list[KeyView]
    witnessed_by: list[CosignatureView]
    """Empty: no witness."""
    proof: str
    """Address of the proof's file."""
    file: str
    """Its name."""

    @property
    def leaf_groups(self) -> list[str]:
        """The leaf hash in groups of four digits, to be read aloud."""
        return [self.leaf[at : at + 4] for at in range(0, len(self.leaf), 4)]


def receipt_view(reading: Reading, position: int) -> ReceiptView:
    """The receipt of a published event, from its proof.

    Raises:
        NotFoundError, NotReadyError: as `proof_file`.
        VerificationError: the proof does not hold.
    """
    found = recorded_event(reading, position)
    require_published(reading, position)
    platform = reading.platform
    proof = platform.sealing.proof(position)
    receipt = parse_receipt(proof.extra)
    policy = platform.sealing.policy()
    accepted = receipt.verified(proof, policy)
    signed = open_checkpoint(proof.note, [log.key for log in policy.logs])
    zone = platform.info.zone
    return ReceiptView(
        log=log_tag(reading),
        position=position,
        recorded=local(found.item.recorded, zone),
        text=receipt.text,
        leaf=receipt.leaf.hex(),
        checkpoint=accepted.checkpoint.size,
        signed_by=[key_view(verified.key) for verified in signed.by],
        witnessed_by=[
            CosignatureView(
                name=cosignature.key.name,
                key=key_view(cosignature.key),
                at=local(datetime.fromtimestamp(cosignature.time, UTC), zone),
            )
            for cosignature in accepted.cosignatures
        ],
        proof=f"/v1/events/{position}/proof",
        file=proof_name(receipt.origin, position),
    )


# --------------------------------------------------------------------------------------------------------- checkpoints


def checkpoint_view(reading: Reading, size: int | None) -> CheckpointNote:
    """The published checkpoint, or the one of `size` events that was published once.

    Raises:
        NotReadyError: nothing is published yet.
        NotFoundError: no checkpoint of that size was ever published.
    """
    platform = reading.platform
    zone = platform.info.zone
    latest = platform.sealing.checkpoint()
    wanted = parse_checkpoint(parse_note(latest).text).size if size is None else size
    kept = platform.sealing.store.history().at(platform.info.origin, wanted)
    if kept is None:
        raise NotFoundError(f"no checkpoint of {wanted} events was ever published")
    return checkpoint_note(kept.note, kept.kept_at, zone)


class ConsistencyView(View):
    """A proof that the log of one published checkpoint begins with that of an earlier one (RFC 6962, section 2.1.2)."""

    log: LogTag
    old: int
    new: int
    proof: list[str]
    """Hashes in Base64. Hold them against the roots of two checkpoints that you have; roots that came with them prove nothing."""


def consistency_view(reading: Reading, old: int, new: int | None) -> ConsistencyView:
    """From the tree of `old` events to that of `new`, or to the published one.

    Raises:
        NotFoundError: they are no sizes of one published tree, in this order.
        NotReadyError: nothing is published yet.
    """
    sealing = reading.platform.sealing
    size = parse_checkpoint(parse_note(sealing.checkpoint()).text).size if new is None else new
    proof = sealing.consistency(old, size)
    return ConsistencyView(log=log_tag(reading), old=old, new=size, proof=[base64_of(node) for node in proof])


# --------------------------------------------------------------------------------------------------------- the one act


class CommittedView(View):
    """A commitment to all histories that was just recorded."""

    log: LogTag
    position: int
    """Of the event."""
    upto: int
    """It binds every history as of this position."""
    state: str
    """How far the event has come: recorded, sealed, or published."""
    state_title: Said
    waits_for: Said | None
    """What it waits for; null once it is published."""


def committed_view(reading: Reading, position: int) -> CommittedView:
    """What the event at `position` binds the log to."""
    reached = progress(reading)
    state = reached.state(position)
    return CommittedView(
        log=log_tag(reading),
        position=position,
        upto=reading.platform.event(position).item.data["upto"],
        state=state.value,
        state_title=reached.title(state),
        waits_for=waits_for(reading, state),
    )
