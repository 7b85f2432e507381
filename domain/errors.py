"""Every error that Qingling raises on purpose, as one tree.

    QinglingError
    ├── Refused                     an act of the office is refused; nothing was recorded
    │   ├── RuleError               a rule of the notice or of definitions.md is not met (bears rule and clause)
    │   ├── ConflictError           somebody else changed the same thing first
    │   └── IdempotencyError        the key was used before with another request
    ├── NotFoundError               there is no such stream, ledger, officer, jurisdiction
    ├── InputError                  what was handed in cannot be read (bears field, row, rule)
    │   └── UnreadableBookError     the whole file is unusable
    ├── UnauthorisedError           no token, or one that names nobody
    ├── NotReadyError               the ledgers have not reached the position asked for, or are stopped
    ├── RecordingError              the write path failed; nothing was recorded (bears whether to go on)
    │   ├── ClockError              host and database disagree about the time; writers stop
    │   └── LogMismatchError        this is not the log that the caller means, or it breaks its own laws
    ├── FoldError                   a fold raised on an event (bears ledger and position)
    │   └── UnknownEventError       an event of a type or shape that this release does not know
    ├── VerificationError           a proof, a digest or a sealed field does not hold, whatever the reason
    ├── ErasedError                 the key of a sealed field was destroyed; its plain text is gone for ever
    ├── DistributionError           copies of the log cannot be carried on; the log itself is not touched
    ├── EmbeddedServerError         the embedded database cannot be created, started or stopped
    └── SettingsError               the deployment is configured wrongly

Nothing here knows of HTTP or exit codes: `api/errors.py` has the one table for those.
"""

from __future__ import annotations


class QinglingError(Exception):
    """Root of the tree. `str(error)` is a sentence for a person."""


class Refused(QinglingError):  # noqa: N818 - "refused" is the word of definitions.md for this
    """An act is refused and nothing was recorded."""


class RuleError(Refused):
    """An act does not meet a rule. `rule` names it, `clause` cites the notice or `definitions.md`."""

    def __init__(self, message: str, *, rule: str, clause: str) -> None:
        super().__init__(message)
        self.rule = rule
        self.clause = clause


class ConflictError(Refused):
    """The stream has moved on since it was read. Read again and decide again."""


class IdempotencyError(Refused):
    """The idempotency key was used before by this actor for another request."""


class NotFoundError(QinglingError):
    """What was named does not exist."""


class InputError(QinglingError):
    """Input cannot be read. `field`, `row` (1-based, as a person counts in the sheet) and `rule` say where and why."""

    def __init__(self, message: str, *, field: str = "", row: int = 0, rule: str = "") -> None:
        super().__init__(message)
        self.field = field
        self.row = row
        self.rule = rule


class UnreadableBookError(InputError):
    """A whole file is unusable: not a workbook, too large, its header is not there."""


class UnauthorisedError(QinglingError):
    """No bearer token, or one that names no officer."""


class NotReadyError(QinglingError):
    """A ledger has not reached the asked position in time, or is stopped. `position` is where it stands."""

    def __init__(self, message: str, *, position: int = 0) -> None:
        super().__init__(message)
        self.position = position


class RecordingError(QinglingError):
    """The write path failed and nothing was recorded. `may_continue`: whether this process may go on writing."""

    def __init__(self, message: str, *, may_continue: bool = True) -> None:
        super().__init__(message)
        self.may_continue = may_continue


class ClockError(RecordingError):
    """The clocks of host and database disagree by more than the tolerance. Writers stop."""

    def __init__(self, message: str) -> None:
        super().__init__(message, may_continue=False)


class LogMismatchError(RecordingError):
    """The log is another one than the caller means, or what is stored breaks the log's own laws."""

    def __init__(self, message: str) -> None:
        super().__init__(message, may_continue=False)


class FoldError(QinglingError):
    """A fold raised. The ledger stops at `position`; what does not follow it goes on."""

    def __init__(self, message: str, *, ledger: str = "", position: int = 0) -> None:
        super().__init__(message)
        self.ledger = ledger
        self.position = position


class UnknownEventError(FoldError):
    """The log holds an event whose type or shape this release does not know. Never skipped."""


class VerificationError(QinglingError):
    """A proof, digest, commitment or signature does not hold. The only error a verifier raises for bad input."""


class ErasedError(QinglingError):
    """The data key was destroyed on purpose; the plain text cannot be had again."""


class SettingsError(QinglingError):
    """The deployment's settings are wrong: an unknown key, a missing value, a contradiction."""


class DistributionError(QinglingError):
    """What carries copies of the log (Kafka) fails. It passes by itself, or says what a person must change."""


class EmbeddedServerError(QinglingError):
    """The embedded server cannot be created, started or stopped. The message ends with the tail of its log, if any."""
