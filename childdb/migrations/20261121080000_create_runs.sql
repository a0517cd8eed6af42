-- Runs of the main job and their steps; messages are childdb's own sentences and hold no value of a person.
create table ops.runs (
    run_id text primary key,
    opened_at timestamptz not null default now(),
    closed_at timestamptz,
    status text not null default 'running'
    check (status in ('running', 'awaiting_approval', 'released', 'unchanged', 'stopped', 'failed', 'abandoned')),
    drop_folder text,
    population_path text,
    pull boolean not null default false,
    period text,
    as_of date,
    release_id text,
    message_en text,
    message_vi text
);

create unique index runs_one_open on ops.runs ((true)) where status = 'running';

create table ops.run_steps (
    run_id text not null references ops.runs (run_id),
    step text not null,
    attempt integer not null,
    started_at timestamptz not null default now(),
    ended_at timestamptz,
    status text not null default 'running' check (status in ('running', 'done', 'stopped', 'failed')),
    counts jsonb not null default '{}',
    message_en text,
    message_vi text,
    primary key (run_id, step, attempt)
);
