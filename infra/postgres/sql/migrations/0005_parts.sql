-- The log may be folded in parts: then a ledger is stopped in the part whose event stopped it, and folds on in the others.
alter table ledger.condition
    add column part smallint not null default -1,
    drop constraint condition_pkey,
    add constraint condition_pkey primary key (ledger, part);

-- Why a generation that several workers build cannot be built; null: it can.
alter table ledger.generation add column failed text;
