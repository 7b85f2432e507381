"""Custody (托管、代领): money that somebody holds for workers, and its passing on."""
