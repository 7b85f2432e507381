-- What was sealed, under the digest by which an event names it.
create table vault.ciphertext (
    sha256 bytea not null,
    subject text collate "C" not null,
    blob bytea not null,
    constraint ciphertext_pkey primary key (sha256),
    constraint ciphertext_subject_fkey foreign key (subject) references vault.subject_key
);

create index ciphertext_subject_idx on vault.ciphertext (subject);
