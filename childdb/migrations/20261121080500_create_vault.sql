-- Numbers of children: found by a keyed index, read back only with the key; the key is never here.
create table vault.key_versions (
    version text primary key,
    check_value text not null,
    recorded_at timestamptz not null default now()
);

create table vault.child_numbers (
    child_id text primary key,
    number_index bytea not null,
    number_sealed bytea not null,
    key_version text not null
);

create index child_numbers_by_index on vault.child_numbers (number_index);
