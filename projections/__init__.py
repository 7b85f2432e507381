"""The pure folds: one small file a ledger, and the pure half of the engine that runs them."""
