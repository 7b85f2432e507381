#!/bin/sh
# PostgreSQL's image runs this once, when its volume is empty.
set -eu
psql --no-psqlrc --set ON_ERROR_STOP=1 --set password="$DATABASE_PASSWORD" \
  --username "${POSTGRES_USER:-postgres}" --dbname postgres --file /etc/qingling/roles.sql
