"""The provable log in the world: where its tree, its keys and its checkpoints lie, and who writes them in which order.

    durable         files that are there when a call returns, whatever happens then
    checkpoints     every checkpoint that was ever signed, published or cosigned
    store           the tiles, the bundles and the heads of a log
    signer          the keys, and the memory of what they signed
    tree            a sealed tree, read
    sealer          a sealed tree, grown
    publisher       a checkpoint, and the quorum that it is published with
    witness_client  how witnesses are reached
    key_files       secrets in files of their own

Guarantees: what a signature or a witness may have seen is durable before they see it. docs/log.md has the order of operations, and
what a crash leaves at each step.
"""
