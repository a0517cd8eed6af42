-- Releases: what was planned, built, approved and withdrawn. A release never changes once it is approved.
create table ops.releases (
    release_id text primary key check (release_id ~ '^r[0-9]{4}(-S[12]|-Q[1-4])?-[0-9a-f]{12}$'),
    period text not null,
    as_of_date date not null,
    reference_date date not null,
    status text not null default 'planned'
    check (status in ('planned', 'candidate', 'approved', 'withdrawn')),
    inputs jsonb not null,
    counts jsonb not null default '{}',
    manifest_sha256 text check (manifest_sha256 ~ '^[0-9a-f]{64}$'),
    built_by text,
    planned_at timestamptz not null default now(),
    built_at timestamptz,
    released_at timestamptz,
    withdrawn_at timestamptz,
    withdrawal_reason_vi text,
    withdrawal_reason_en text,
    check (status = 'planned' or manifest_sha256 is not null),
    check ((status = 'withdrawn') = (withdrawn_at is not null)),
    check ((status in ('approved', 'withdrawn')) = (released_at is not null))
);

create table ops.release_approvals (
    release_id text not null references ops.releases (release_id),
    approver text not null check (btrim(approver) <> ''),
    approved_at timestamptz not null,
    manifest_sha256 text not null check (manifest_sha256 ~ '^[0-9a-f]{64}$'),
    primary key (release_id, approver)
);

-- What an approved release counted stands for good: only its withdrawal may still be noted.
create function ops.keep_release() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if tg_op = 'DELETE' then
        if old.status in ('approved', 'withdrawn') then
            raise exception 'release % is approved and cannot be deleted', old.release_id;
        end if;
        return old;
    end if;
    if new.inputs is distinct from old.inputs or new.release_id is distinct from old.release_id then
        raise exception 'the inputs of release % cannot be changed', old.release_id;
    end if;
    if old.status in ('approved', 'withdrawn') and (
        new.status not in ('approved', 'withdrawn')
        or (old.status = 'withdrawn' and new.status <> 'withdrawn')
        or new.manifest_sha256 is distinct from old.manifest_sha256
    ) then
        raise exception 'release % is approved and cannot be changed', old.release_id;
    end if;
    return new;
end
$$;

create trigger releases_keep
before update or delete on ops.releases
for each row execute function ops.keep_release();
