"""Personal data, sealed before it is hashed: what an event holds instead of a name, and how the name is had back.

And the mathematics of the provable log: what lets somebody who trusts neither the office nor its database check, with a
public key and no connection, that an entry is in the log, that the log only ever grew, and that a history is whole.

    encoding     standard Base64, decimals and lines, read strictly
    tree         RFC 6962 hashes, roots, right edges, inclusion and consistency proofs
    subset       one proof for many leaves
    tiles        where the hashes of a tree lie (C2SP tlog-tiles), and reading them from there
    bundles      entry bundles of the same specification
    growth       a tiled tree that grows
    note         signed notes and their keys (C2SP signed-note)
    checkpoint   the text of a checkpoint (C2SP tlog-checkpoint)
    cosignature  what a witness adds to it (C2SP tlog-cosignature)
    submission   what a log and a witness say to each other (C2SP tlog-witness)
    witness      what a witness decides
    policy       whom a verifier trusts (C2SP tlog-policy)
    proof_file   a proof to take home (C2SP tlog-proof)
    receipt      what a worker takes home
    state        recorded, sealed, published
    sorted_map   wholeness: which streams there are, and all of each

Guarantees: what verifies raises `VerificationError` for whatever is wrong with what it was handed, and nothing else; what
makes or prints raises `ValueError` for what no caller may pass. The formats are those of the specifications named; what is
ours (`subset`, `sorted_map`) is written down beside its code. docs/proofs.md says what each proof shows and does not show.
"""
