#!/bin/bash
# Runs once, when the cluster is made: the one login that childdb gets. It is no superuser; childdb makes its roles,
# one per step, with passwords of their own, and takes every right of PUBLIC away.
set -euo pipefail
password=$(</run/secrets/childdb_database)
psql --quiet --no-psqlrc --set ON_ERROR_STOP=1 --set password="$password" \
    --username "$POSTGRES_USER" --dbname postgres <<'SQL'
set log_statement = 'none';
set log_min_error_statement = 'panic';
create role childdb login createdb createrole nosuperuser nobypassrls noreplication password :'password';
revoke all on database postgres from public;
grant connect on database postgres to childdb; -- from there it makes its own databases
revoke create on schema public from public;
SQL
