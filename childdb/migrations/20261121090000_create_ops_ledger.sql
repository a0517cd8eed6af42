-- The ledger: what arrived, what became of each row, and what each sender was told.
create table ops.batches (
    batch_id text primary key,
    dataset text not null,
    file_sha256 text not null,
    size_bytes bigint not null,
    file_name_text text not null,
    received_run_id text,
    received_at timestamptz not null default now(),
    sender_commune_id text,
    file_date date,
    status text not null default 'landed'
    check (status in ('landed', 'loaded', 'judged', 'held', 'refused')),
    outcome text check (outcome in ('accept', 'accept_flagged', 'quarantine_file', 'reject_file', 'retry')),
    reason_code text,
    physical_rows integer check (physical_rows >= 0),
    header_footer_rows integer check (header_footer_rows >= 0),
    accepted integer check (accepted >= 0),
    quarantined integer check (quarantined >= 0),
    rejected integer check (rejected >= 0),
    profile jsonb not null default '{}',
    reader_version text,
    rules_version text,
    gate_passed boolean not null default false,
    superseded_by text references ops.batches (batch_id),
    unique (dataset, file_sha256),
    constraint ledger_equation check (physical_rows = header_footer_rows + accepted + quarantined + rejected),
    constraint counted_when_read check (
        status = 'landed' or num_nulls(physical_rows, header_footer_rows, accepted, quarantined, rejected, outcome) = 0
    )
);

create table ops.deliveries (
    delivery_no bigint generated always as identity primary key,
    batch_id text references ops.batches (batch_id),
    dataset text not null,
    channel text not null,
    file_name_text text not null,
    run_id text,
    delivered_at timestamptz not null default now(),
    outcome text not null check (outcome in ('landed', 'duplicate', 'not_taken')),
    reason_code text
);

create function ops.keep_status_forward() returns trigger language plpgsql as $$
declare
    ranks constant jsonb := '{"landed": 0, "loaded": 1, "held": 2, "refused": 3, "judged": 3}';
begin
    if (ranks ->> new.status)::int < (ranks ->> old.status)::int
        or (old.status in ('refused', 'judged') and new.status <> old.status) then
        raise exception 'batch %: status % does not go back to %', old.batch_id, old.status, new.status;
    end if;
    return new;
end
$$;

create trigger batches_status_forward before update of status on ops.batches
for each row execute function ops.keep_status_forward();

-- What the ledger says of a loaded batch and what the raw table holds of it are counted again at commit.
create function ops.check_loaded_rows() returns trigger language plpgsql as $$
declare
    found_rows bigint;
begin
    execute format('select count(*) from raw.%I where _batch_id = $1', new.dataset) into found_rows using new.batch_id;
    if found_rows <> new.accepted + new.quarantined then
        raise exception 'batch %: the raw table holds % rows, the ledger says %',
            new.batch_id, found_rows, new.accepted + new.quarantined;
    end if;
    return null;
end
$$;

create constraint trigger batches_loaded_rows after insert or update on ops.batches
deferrable initially deferred
for each row when (new.status in ('loaded', 'judged')) execute function ops.check_loaded_rows();
