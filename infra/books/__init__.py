"""Ledger books as files: read into source cases, refused with reasons, and written out as tables."""
