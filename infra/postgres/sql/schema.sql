-- The whole schema, object by object, as the migrations leave it (a test holds the two equal). For a person: psql -f schema.sql.
\ir access/roles.sql
\ir access/schemas.sql
\ir tables/event.sql
\ir tables/command.sql
\ir tables/snapshot.sql
\ir tables/tracking.sql
\ir functions/lock_log.sql
\ir functions/filled.sql
\ir functions/is_simulation.sql
\ir functions/position_at.sql
\ir functions/append.sql
\ir guards/refuse_change.sql
\ir guards/check_appended.sql
\ir access/grants.sql
