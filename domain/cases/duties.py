"""Who answers for what in a case: duties are assigned, handed over and relieved by events (clauses N22 and N24). Pure."""

from __future__ import annotations

from domain.sealing.personal import Sealed
from domain.streams import Shape
from domain.vocabulary import CaseDuty


class Person(Shape, frozen=True, kw_only=True):
    """Somebody with a duty: an officer of the deployment, or a person outside it, whose name is sealed."""

    officer: str | None = None
    name: Sealed | None = None
    post: str | None = None
    phone: Sealed | None = None

    def same(self, other: Person) -> bool:
        """Whether the two are the same person: the same officer, or a name sealed under the same subject."""
        if self.officer is not None or other.officer is not None:
            return self.officer == other.officer
        ours = None if self.name is None else self.name.subject
        return ours is not None and other.name is not None and ours == other.name.subject


class HeldDuty(Shape, frozen=True, kw_only=True):
    """A duty, and who holds it now. Several may hold the same one."""

    duty: CaseDuty
    holder: Person


Duties = tuple[HeldDuty, ...]


def assigned(duties: Duties, duty: CaseDuty, holder: Person) -> Duties:
    """The duties after one was given to somebody; given twice it is held once."""
    return (*relieved(duties, duty, holder), HeldDuty(duty=duty, holder=holder))


def relieved(duties: Duties, duty: CaseDuty, holder: Person) -> Duties:
    """The duties after one was taken from somebody."""
    return tuple(held for held in duties if held.duty is not duty or not held.holder.same(holder))


def handed_over(duties: Duties, duty: CaseDuty, previous: Person, holder: Person) -> Duties:
    """The duties after one went from one person to another."""
    return assigned(relieved(duties, duty, previous), duty, holder)
