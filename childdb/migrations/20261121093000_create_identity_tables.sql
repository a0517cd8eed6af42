-- Which row is which child. Links and children are remade by each matching; keys, events and people's decisions are kept for ever.
create table identity.record_links (
    record_id text primary key,
    child_id text not null,
    person_id text,
    decision text not null check (decision in ('accepted', 'review', 'none')),
    match_probability double precision check (match_probability between 0 and 1),
    match_weight double precision,
    rule_id text,
    evidence jsonb,
    model_version text,
    run_id text
);

create index record_links_child on identity.record_links (child_id);
create index record_links_person on identity.record_links (person_id) where person_id is not null;

create table identity.children (
    child_id text primary key,
    person_id text,
    confirmed boolean not null default false
);

create unique index children_confirmed_person on identity.children (person_id) where confirmed;

-- Every key ever given. A retired key points to the one that took its place and may come back unchanged.
create table identity.child_keys (
    child_id text primary key,
    given_on date not null,
    person_id text,
    retired_on date,
    merged_into text references identity.child_keys (child_id),
    check ((retired_on is null) = (merged_into is null)),
    check (merged_into <> child_id)
);

-- The key each record now has, and the one it had first: what a merge is undone by.
create table identity.record_keys (
    record_id text primary key,
    child_id text not null references identity.child_keys (child_id),
    first_child_id text not null references identity.child_keys (child_id)
);

create index record_keys_child on identity.record_keys (child_id);

create table identity.key_events (
    event_no bigint generated always as identity primary key,
    happened_on date not null,
    kind text not null check (kind in ('given', 'merged', 'split', 'unmerged', 'person_changed')),
    child_id text not null,
    other_child_id text,
    person_id text,
    record_ids text [] not null default '{}',
    reason text not null,
    model_version text,
    run_id text
);

-- Decisions of people outrank the model. Undone ones stay, dated.
create table identity.decisions (
    decision_id text primary key,
    kind text not null check (kind in ('must_link', 'cannot_link')),
    record_id text not null,
    person_id text,
    other_record_id text,
    decided_on date not null,
    actor text not null,
    reason text not null,
    undone_on date,
    undone_by text,
    check ((person_id is null) <> (other_record_id is null))
);
