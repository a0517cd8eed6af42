-- What people decided about deliveries: how an unknown header is read, which held files and rows go on, what replaced
-- them. Decisions are added, never changed. No value of a person: headers, counts, row numbers and names of officials.
create table ops.column_decisions (
    decision_no bigint generated always as identity primary key,
    dataset text not null,
    header_signature text not null,
    header_text text not null,
    column_name text,
    map_version text,
    batch_id text references ops.batches (batch_id),
    decided_by text not null check (btrim(decided_by) <> ''),
    reason text not null check (length(btrim(reason)) >= 10),
    decided_at timestamptz not null default now()
);

create index column_decisions_of_header on ops.column_decisions (dataset, header_signature);

create table ops.quarantine_decisions (
    decision_no bigint generated always as identity primary key,
    batch_id text not null references ops.batches (batch_id),
    sheet text,
    row_no integer,
    decision text not null check (decision in ('release', 'resent')),
    reason_code text,
    replaced_by_batch_id text references ops.batches (batch_id),
    confirmed_row_count integer check (confirmed_row_count >= 0),
    decided_by text not null check (btrim(decided_by) <> ''),
    reason text not null check (length(btrim(reason)) >= 10),
    decided_at timestamptz not null default now(),
    constraint resent_names_its_batch check ((decision = 'resent') = (replaced_by_batch_id is not null)),
    constraint replaced_by_another check (replaced_by_batch_id <> batch_id)
);

create index quarantine_decisions_of_batch on ops.quarantine_decisions (batch_id, decision);

create function ops.refuse_change() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    raise exception '% is append-only', tg_table_name;
end
$$;

create trigger column_decisions_append_only
before update or delete or truncate on ops.column_decisions
for each statement execute function ops.refuse_change();

create trigger quarantine_decisions_append_only
before update or delete or truncate on ops.quarantine_decisions
for each statement execute function ops.refuse_change();

-- What each sender was told: the receipt's hash, so that a later dispute has its text.
create table ops.receipts (
    receipt_no bigint generated always as identity primary key,
    batch_id text not null references ops.batches (batch_id),
    outcome text not null,
    reason_code text,
    sha256 text not null,
    issued_at timestamptz not null default now(),
    unique (batch_id, sha256)
);
