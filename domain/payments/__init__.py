"""Payments: a header with one line event per worker."""
