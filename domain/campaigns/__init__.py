"""Campaigns: the log's genesis, the year, the checkpoints by which classes are cleared to zero."""
