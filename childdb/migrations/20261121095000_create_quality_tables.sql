-- Results of the gates as data: counts, shares and row numbers, never a value of a person.
create table quality.gate_runs (
    gate_id text primary key,
    run_id text not null,
    suite text not null,
    suite_version text not null,
    dataset text not null,
    release_id text,
    as_of_date date,
    outcome text not null check (outcome in ('passed', 'warned', 'stopped')),
    batch_count integer not null,
    held_batch_count integer not null,
    message_vi text not null default '',
    message_en text not null default '',
    documents jsonb not null default '{}',
    recorded_at timestamptz not null default now()
);

create index gate_runs_of_run on quality.gate_runs (run_id, suite);

create table quality.gate_results (
    gate_id text not null references quality.gate_runs (gate_id) on delete cascade,
    scope_key text not null,
    rule_id text not null,
    severity text not null check (severity in ('critical', 'warning')),
    outcome text not null
    check (outcome in ('passed', 'warned', 'stopped', 'released', 'not_applicable', 'not_in_force')),
    evaluated_count bigint not null check (evaluated_count >= 0),
    failed_count bigint not null check (failed_count between 0 and evaluated_count),
    passed_share numeric(9, 6) generated always as (
        case when evaluated_count = 0 then null
            else round((evaluated_count - failed_count)::numeric / evaluated_count, 6) end
    ) stored,
    limit_share numeric(9, 6) not null,
    primary key (gate_id, scope_key, rule_id)
);

create index gate_results_of_scope on quality.gate_results (scope_key, rule_id);

create table quality.gate_failures (
    gate_id text not null references quality.gate_runs (gate_id) on delete cascade,
    rule_id text not null,
    scope_key text not null,
    sheet text,
    row_no bigint,
    row_key text
);

create index gate_failures_of_rule on quality.gate_failures (gate_id, scope_key, rule_id);

-- A person lets a stopped rule pass for one batch or release. Decisions are never changed, only added to.
create table quality.gate_decisions (
    decision_no bigint generated always as identity primary key,
    suite text not null,
    rule_id text not null,
    scope_key text not null,
    decision text not null check (decision in ('release', 'hold')),
    decided_by text not null check (btrim(decided_by) <> ''),
    reason text not null check (length(btrim(reason)) >= 10),
    decided_on date not null,
    recorded_at timestamptz not null default now()
);

create function quality.refuse_change() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    raise exception '% is append-only', tg_table_name;
end
$$;

create trigger gate_decisions_append_only
before update or delete or truncate on quality.gate_decisions
for each statement execute function quality.refuse_change();

-- What a gate measured and the next gate compares with: shares of groups of 100 and more, never a value of a person.
create table quality.gate_measures (
    recorded_no bigint generated always as identity primary key,
    gate_id text not null references quality.gate_runs (gate_id) on delete cascade,
    suite text not null,
    measure_key text not null,
    weight_count bigint not null check (weight_count >= 100),
    measured_value numeric(12, 6) not null,
    unique (gate_id, measure_key)
);

create index gate_measures_by_key on quality.gate_measures (suite, measure_key, recorded_no desc);
