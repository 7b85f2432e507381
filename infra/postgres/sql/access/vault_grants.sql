-- Unlike events, rows of the vault may go. The projector has no rights here: what is computed from the log holds no personal data.
revoke all on all functions in schema vault from public;

grant usage on schema vault to qingling_writer, qingling_reader;
grant select on vault.subject_key, vault.ciphertext, vault.erasures to qingling_writer, qingling_reader;
grant insert on vault.subject_key, vault.ciphertext to qingling_writer;
grant update (wrapped, kek, destroyed_at) on vault.subject_key to qingling_writer;
grant update (count) on vault.erasures to qingling_writer;
grant delete on vault.ciphertext to qingling_writer;
grant execute on function vault.hold_erasures(), vault.erase(text) to qingling_writer;
