-- Finds a person's subject again by a blinded number, so that one person is sealed under one key. The blind is HMAC-SHA-256
-- under a key of the keyring; it is personal data still, and goes when the subject is erased.
create table vault.person (
    blind bytea not null,
    subject text collate "C" not null,
    constraint person_pkey primary key (blind),
    constraint person_blind_check check (octet_length(blind) = 32)
);

create index person_subject_idx on vault.person (subject);
