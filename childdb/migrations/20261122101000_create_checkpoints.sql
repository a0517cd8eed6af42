-- How far the pull of changed records has come: the moment the next one begins from.
create table ops.checkpoints (
    dataset text primary key,
    since text not null,
    batch_id text references ops.batches (batch_id),
    recorded_at timestamptz not null default now()
);
