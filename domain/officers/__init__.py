"""Officers: who may use the doors, and in whose name an act is recorded."""
