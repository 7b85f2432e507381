"""Claim lines: worker × wage period × debtor × kind."""
