"""Evidence packs: what was handed out, and the digests that it was handed out with."""
