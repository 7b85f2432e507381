"""Complaints (投诉, reception): registered one by one, classified the day they come in, and never without an answer (N20, N21)."""
