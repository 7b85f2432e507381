-- What a sealed field in an event is the digest of. Rows are never changed; they go with their subject.
create table vault.ciphertext (
    sha256 bytea not null,
    subject text collate "C" not null,
    blob bytea not null,
    constraint ciphertext_pkey primary key (sha256),
    constraint ciphertext_subject_fkey foreign key (subject) references vault.subject_key
);

create index ciphertext_subject_idx on vault.ciphertext (subject);
