"""The provable log in the world: where its tree, its keys and its checkpoints lie, and who writes them in which order.

    durable         files that are there when a call returns, whatever happens then
    checkpoints     every checkpoint that was ever signed, published or cosigned
    store           the tiles, the bundles and the heads of a log
    key_files       secrets in files of their own
    signer          the keys of a log, and the memory of what they signed
    tree            a sealed tree, read
    sealer          a sealed tree, grown
    publisher       cosignatures collected, checkpoints published (`witness_client`: over HTTP)
    rounds          one round after another (`service`: in the background)
    wholeness       what the log binds itself to (`own_stream`: what it records of itself)
    tamper          everything compared with everything else (`places`, `comparison`, `row_runs`, `findings`)
    recovery        what is put back after an honest loss
    provable_log    all of it for the doors (`standing`: how it stands)

Guarantees: what a signature or a witness may have seen is durable before they see it. docs/log.md has the order of operations, and
what a crash leaves at each step.
"""
