grant select on vault.person to qingling_writer, qingling_reader;
grant insert on vault.person to qingling_writer;
grant delete on vault.person to qingling_writer;
