"""Evidence files: which may come in, how one is sealed, and what every store of them guarantees."""
