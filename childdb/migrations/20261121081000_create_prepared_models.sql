-- Which version of seeds and staging views the warehouse holds, so that a run prepares them only once.
create table ops.prepared_models (
    layer text primary key,
    sha256 text not null,
    prepared_at timestamptz not null default now()
);
