"""Backstops (兜底): who pays when the debtor does not, up to which limit, and what has to come back."""
