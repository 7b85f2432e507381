"""Kafka carries copies of the log: the relay writes them, in the log's order; the log stays the record."""
