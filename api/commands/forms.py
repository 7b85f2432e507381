"""What the forms of commands are made of: the four times, the grade and the files of a fact, how somebody was told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError, model_validator

from api.commands.fields import FormFault, Kind, Label, Line, Moment
from api.words import Word
from domain.errors import InputError
from domain.sealing.personal import Sealed
from domain.streams import Basis, LateReason
from domain.vocabulary import Evidence, Told


class Form(BaseModel):
    """Base of the forms. Amounts are whole fen, times bear an offset; what is unknown is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


F = TypeVar("F", bound=Form)
_Hex = Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]


class SealedForm(Form):
    """A sealed text as an entry bears it."""

    subject: Annotated[Line, Label("主体", "Subject")]
    sha256: Annotated[_Hex, Label("密文摘要", "Digest of the ciphertext")]
    commit: Annotated[_Hex, Label("承诺", "Commitment")]


class EvidenceForm(Form):
    """An evidence file as `POST /v1/evidence` answered it."""

    sha256: Annotated[_Hex, Label("摘要", "Digest")]
    type: Annotated[Line, Label("类型", "Media type")]
    name: Annotated[SealedForm | None, Label("文件名", "Name")] = None

    @model_validator(mode="before")
    @classmethod
    def _as_answered(cls, given: Any) -> Any:
        """What the answer says beside the reference is not recorded: the file says it."""
        beside = {"size", "kind"}
        return (
            {name: value for name, value in given.items() if name not in beside} if isinstance(given, dict) else given
        )

    def given(self) -> Evidence:
        """The evidence that it names."""
        name = None if self.name is None else Sealed(self.name.subject, self.name.sha256, self.name.commit)
        return Evidence(sha256=self.sha256, type=self.type, name=name)


Files = Annotated[
    tuple[EvidenceForm, ...],
    Label("证据材料", "Evidence files", "照片、单据、录音等", "photos, papers, recordings", kind=Kind.FILES),
]


class ToldForm(Form):
    """When, how and of which remedy somebody was told."""

    on: Annotated[Moment, Label("告知时间", "Told on")]
    how: Annotated[Line, Label("告知方式", "How", "当面、电话、送达…", "in person, by telephone, served …")]
    remedy: Annotated[Line | None, Label("告知的救济途径", "Remedy named")] = None

    def said(self) -> Told:
        """As an event bears it."""
        return Told(on=self.on.isoformat(), how=self.how, remedy=self.remedy)


class Timed(Form):
    """When it happened, and when the office learned of it. Left out: now."""

    occurred: Annotated[Moment | None, Label("发生时间", "Occurred", "不填即现在", "left blank: now")] = None
    received: Annotated[Moment | None, Label("获知时间", "Received", "不填即现在", "left blank: now")] = None
    late: Annotated[
        LateReason | None,
        Label("补录原因", "Why it is entered late", "获知一日后才录入的须填", "needed a day after it was received"),
    ] = None


class Fact(Timed):
    """A fact: on what basis it is known, with the files that found it."""

    basis: Annotated[
        Basis | None,
        Label(
            "依据等级",
            "Grade of basis",
            "不填：有材料为有凭证，无材料为据称",
            "left blank: documented with files, else stated",
        ),
    ] = None
    evidence: Files = ()


def checked(form: type[F], raw: Any) -> F | list[FormFault]:
    """The form that `raw` fills, or everything that is wrong with it. Faults of a group are at the field within it."""
    try:
        return form.model_validate(raw)
    except ValidationError as error:
        return [_said(fault) for fault in error.errors()]


def refusal(faults: Sequence[FormFault]) -> InputError:
    """The faults as one error for doors that answer in one sentence."""
    sentences = "; ".join(f"{fault.field}: {fault.message.en}" for fault in faults)
    return InputError(sentences, field=faults[0].field, row=faults[0].row, rule=faults[0].rule)


def _said(fault: Any) -> FormFault:
    """One fault of pydantic in words."""
    names = [str(part) for part in fault["loc"] if not isinstance(part, int)]
    row = next((part + 1 for part in fault["loc"] if isinstance(part, int)), 0)
    kind, context = fault["type"], fault.get("ctx") or {}
    known = _WORDS.get(kind)
    zh = known.format(**context) if known else "取值不对"
    return FormFault(".".join(names), "required" if kind == "missing" else "value", Word(zh, fault["msg"]), row)


_WORDS = {
    "missing": "请填写",
    "string_too_short": "请填写",
    "string_too_long": "不能超过 {max_length} 个字",
    "enum": "请从列表中选择",
    "greater_than": "须大于 {gt}",
    "greater_than_equal": "不能小于 {ge}",
    "less_than_equal": "不能大于 {le}",
    "extra_forbidden": "没有这一项",
    "timezone_aware": "时间须带时区",
    "int_parsing": "须为整数",
    "int_type": "须为整数",
    "string_type": "须为文字",
}
