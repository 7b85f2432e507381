-- The engine keeps its books as the projector; whoever shows ledgers reads them.
grant select, insert, update, delete on ledger.generation, ledger.progress, ledger.condition to qingling_projector;
grant select on ledger.generation, ledger.progress, ledger.condition to qingling_writer, qingling_reader;
