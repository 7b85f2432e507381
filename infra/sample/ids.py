"""Ids that follow from the seed of a simulation, so that the same seed makes the same streams and the same persons."""

from __future__ import annotations

import hashlib

from domain.sealing.personal import SUBJECT_BYTES, subject_id
from infra.importing import Personal


def stream_id(kind: str, *parts: str) -> str:
    """`case-…`: the kind and 128 bits that follow from `parts`."""
    return f"{kind}-{hashlib.sha256('/'.join(parts).encode()).hexdigest()[:32]}"


def digest(*parts: str) -> str:
    """The SHA-256 (hex) that stands for a file of a simulation; there is no such file."""
    return hashlib.sha256("/".join(parts).encode()).hexdigest()


class SeededPersons:
    """A vault whose new subjects follow from a seed, in the order in which they are asked for. Everything else is the vault's own."""

    def __init__(self, vault: Personal, seed: str) -> None:
        self.seal = vault.seal
        self.seal_many = vault.seal_many
        self.matches = vault.matches
        self.matches_many = vault.matches_many
        self.open_many = vault.open_many
        self.openings = vault.openings
        self._seed = seed
        self._count = 0

    def new_subject(self) -> str:
        """See `Sealer.new_subject`; here it is no secret."""
        self._count += 1
        return subject_id(hashlib.sha256(f"{self._seed}/person/{self._count}".encode()).digest()[:SUBJECT_BYTES])
