"""PostgreSQL: the embedded server, and the log, the ledgers and the rest of the state that lie in it."""
