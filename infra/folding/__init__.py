"""The fold engine: takes entries from a feed, folds them into the ledgers of a catalogue, and keeps rows and position together."""
