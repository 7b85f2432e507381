"""Evidence packs: making, reading and verifying them (docs/packs.md).

archive    the zip, written in one way and read in no other
layout     the files in it that are not ledgers
tables     its ledgers as files
derive     ledgers made anew from packed entries
selection  which cases a pack shows
reader     a pack taken apart, rule 1
verify     rules 2 to 7
compare    rule 7: what the files say beside what the entries make
trust      whom a verifier trusts; single proofs and receipts
writer     making a pack

Guarantees: what verifies raises `VerificationError` for whatever is wrong with what it was handed, needs no database, settings
or network, and trusts nothing that comes in the pack. What is made was verified before it bears its name.
"""
