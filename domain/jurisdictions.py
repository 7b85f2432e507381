"""The tree of jurisdictions: codes, Chinese and English names, and who lies below whom.

A tree is data. It is loaded from a table `code -> {name_zh, name_en, parent, aliases}` and never changes afterwards.
Lookups accept a code, a full or short name in either language, an alias, or a path of Chinese names from above
(`阳泉市平定县`). What is not found is refused with the nearest known name, what is ambiguous with all it could mean.
"""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from domain.errors import InputError
from domain.streams import Shape

_SUFFIXES_ZH = ("自治区", "自治州", "自治县", "省", "市", "区", "县", "旗", "盟")
_SUFFIXES_EN = (" province", " prefecture", " city", " district", " county", " state")


class Jurisdiction(Shape, frozen=True, kw_only=True):
    """One node. `code` is the deployment's own (GB/T 2260 in the shipped tree); `parent` is None at a root."""

    code: str
    name_zh: str
    name_en: str
    parent: str | None = None
    aliases: tuple[str, ...] = ()


class JurisdictionTree:
    """An immutable tree. Iterates over its nodes, parents before children, siblings as given.

    Raises:
        InputError: when there is no node, a parent is missing, or nodes lie in a circle.
    """

    def __init__(self, nodes: Iterable[Jurisdiction]) -> None:
        given = {node.code: node for node in nodes}
        self._children: dict[str | None, list[str]] = {}
        for node in given.values():
            if node.parent is not None and node.parent not in given:
                raise _bad_tree(f"{node.code} lies below {node.parent}, which is not in the tree", "known-parent")
            self._children.setdefault(node.parent, []).append(node.code)
        self._nodes = {code: given[code] for root in self._children.get(None, ()) for code in self._walk(root)}
        if not given:
            raise _bad_tree("there is no node", "not-empty")
        if lost := sorted(given.keys() - self._nodes.keys()):
            raise _bad_tree(f"{', '.join(lost)} lie in a circle", "no-circle")
        self._exact: dict[str, set[str]] = {}
        self._loose: dict[str, set[str]] = {}
        self._index()

    @classmethod
    def load(cls, table: Mapping[str, object]) -> JurisdictionTree:
        """From an already parsed table `code -> {name_zh, name_en, parent, aliases}` (TOML or JSON).

        Raises:
            InputError: an unknown key, a missing or misshapen value, or nodes that make no tree.
        """
        return cls([_node(code, row) for code, row in table.items()])

    def dump(self) -> dict[str, dict[str, object]]:
        """The table that `load` reads, with scalars and lists only, for an event or a file."""
        return {
            node.code: {
                "name_zh": node.name_zh,
                "name_en": node.name_en,
                "parent": node.parent,
                "aliases": list(node.aliases),
            }
            for node in self
        }

    def __iter__(self) -> Iterator[Jurisdiction]:
        return iter(self._nodes.values())

    def __len__(self) -> int:
        return len(self._nodes)

    def __contains__(self, code: object) -> bool:
        return code in self._nodes

    def __eq__(self, other: object) -> bool:
        return isinstance(other, JurisdictionTree) and self._nodes == other._nodes

    def __hash__(self) -> int:
        return hash(tuple(self._nodes.values()))

    def __repr__(self) -> str:
        return f"JurisdictionTree({list(self)!r})"

    def __getitem__(self, code: str) -> Jurisdiction:
        """The node of a code.

        Raises:
            InputError: there is no such code.
        """
        if code not in self._nodes:
            raise self._unknown(code)
        return self._nodes[code]

    def find(self, said: str) -> Jurisdiction:
        """The node that somebody means by a code, a name, an alias or a path of names.

        Raises:
            InputError: nothing is called so (the nearest name is given), or several are (all are given).
        """
        key = _key(said)
        codes = self._exact.get(key) or self._loose.get(key)
        if not codes:
            raise self._unknown(said)
        if len(codes) > 1:
            means = ", ".join(f"{code} {self._nodes[code].name_zh}" for code in sorted(codes))
            raise InputError(
                f"{said!r} could be any of {means}; give the code", field="jurisdiction", rule="one-jurisdiction"
            )
        return self._nodes[next(iter(codes))]

    def children(self, code: str) -> tuple[Jurisdiction, ...]:
        """The nodes directly below. Raises InputError for an unknown code."""
        return tuple(self._nodes[child] for child in self._children.get(self[code].code, ()))

    def descendants(self, code: str) -> tuple[Jurisdiction, ...]:
        """All nodes below, without the node itself. Raises InputError for an unknown code."""
        return tuple(self._nodes[below] for below in self._walk(self[code].code))[1:]

    def within(self, code: str) -> frozenset[str]:
        """The codes of the node and of all below it. Raises InputError for an unknown code."""
        return frozenset(self._walk(self[code].code))

    def path(self, code: str) -> tuple[Jurisdiction, ...]:
        """From the root down to the node itself. Raises InputError for an unknown code."""
        node = self[code]
        return (node,) if node.parent is None else (*self.path(node.parent), node)

    def _walk(self, code: str) -> Iterator[str]:
        yield code
        for child in self._children.get(code, ()):
            yield from self._walk(child)

    def _index(self) -> None:
        paths: dict[str | None, set[str]] = {None: set()}
        for node in self:
            full = {node.name_zh, node.name_en, *node.aliases}
            short = {_without_suffix(name) for name in (node.name_zh, node.name_en)}
            from_above = {above + name for above in paths[node.parent] for name in (node.name_zh, *short)}
            paths[node.code] = {node.name_zh, _without_suffix(node.name_zh)} | from_above
            for name in (node.code, *full):
                self._exact.setdefault(_key(name), set()).add(node.code)
            for name in short | from_above:
                self._loose.setdefault(_key(name), set()).add(node.code)

    def nearest(self, said: str) -> Jurisdiction | None:
        """The node whose name is most like what somebody said; None when none is like it."""
        near = difflib.get_close_matches(_key(said), [*self._exact, *self._loose], n=1, cutoff=0.3)
        return self._nodes[min(self._exact.get(near[0]) or self._loose[near[0]])] if near else None

    def _unknown(self, said: str) -> InputError:
        near = self.nearest(said)
        hint = f"; the nearest is {near.code} {near.name_zh} ({near.name_en})" if near else ""
        return InputError(
            f"there is no jurisdiction {said!r} in the tree{hint}", field="jurisdiction", rule="known-jurisdiction"
        )


def _node(code: str, row: object) -> Jurisdiction:
    if not isinstance(row, Mapping):
        raise _bad_tree(f"{code} is not a table of names", "shape")
    if wrong := sorted(row.keys() - {"name_zh", "name_en", "parent", "aliases"}):
        near = difflib.get_close_matches(wrong[0], ("name_zh", "name_en", "parent", "aliases"), n=1, cutoff=0)
        raise _bad_tree(f"{code} has an unknown key {wrong[0]!r}; the nearest is {near[0]!r}", "known-key")
    try:
        return msgspec.convert({"code": code, **row}, Jurisdiction)
    except msgspec.ValidationError as error:
        raise _bad_tree(f"{code}: {error}", "shape") from error


def _bad_tree(fault: str, rule: str) -> InputError:
    return InputError(f"the tree of jurisdictions cannot be read: {fault}", field="jurisdictions", rule=rule)


def _without_suffix(name: str) -> str:
    """`平定县` → `平定`, `Pingding County` → `Pingding`; a name that would shrink to one character stays whole."""
    for suffix in _SUFFIXES_ZH:
        if name.endswith(suffix) and len(name) - len(suffix) >= 2:
            return name.removesuffix(suffix)
    for suffix in _SUFFIXES_EN:
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return name


def _key(name: str) -> str:
    return "".join(unicodedata.normalize("NFKC", name).split()).casefold()
