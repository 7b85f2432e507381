grant select, insert, delete on vault.person to qingling_writer;
