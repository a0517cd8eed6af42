-- Open items, the lists they left in, and what the answers said. No value of a person: keys, classes, codes, dates.
create table quality.work_items (
    item_id text primary key,
    child_id text not null,
    commune_id text not null,
    item_class text not null check (item_class in ('no_number', 'wrong_format', 'basic_data')),
    reasons text[] not null,
    state text not null check (state in ('open', 'sent', 'answered', 'applied', 'closed', 'withdrawn')),
    opened_count integer not null default 0,
    closed_count integer not null default 0,
    withdrawn_count integer not null default 0,
    first_opened_date date not null,
    last_event_date date not null,
    -- The balance of every item, at every moment: opened = open + closed + withdrawn.
    constraint item_balance check (
        opened_count = closed_count + withdrawn_count + (state not in ('closed', 'withdrawn'))::integer
    )
);

create index work_items_by_commune on quality.work_items (commune_id, item_class, state);
create index work_items_by_child on quality.work_items (child_id);

create table quality.work_item_events (
    event_no bigint generated always as identity primary key,
    item_id text not null references quality.work_items (item_id),
    event text not null check (
        event in ('opened', 'reopened', 'sent', 'answered', 'applied', 'held', 'refused', 'reversed', 'closed', 'withdrawn')
    ),
    batch_id text,
    answer_id text,
    reason_code text not null default '',
    event_date date not null,
    actor text not null,
    recorded_at timestamptz not null default now()
);

create index work_item_events_of_item on quality.work_item_events (item_id, event_no);

create table quality.request_batches (
    batch_id text primary key,
    as_of_date date not null,
    due_date date not null,
    row_count integer not null check (row_count >= 0),
    newborn_count integer not null check (newborn_count >= 0),
    without_addressee_count integer not null check (without_addressee_count >= 0),
    recorded_at timestamptz not null default now()
);

create table quality.request_rows (
    row_key text primary key,
    row_hash text not null,
    batch_id text not null references quality.request_batches (batch_id),
    item_id text not null references quality.work_items (item_id),
    commune_id text not null,
    item_class text not null,
    unique (batch_id, item_id)
);

create index request_rows_by_list on quality.request_rows (batch_id, commune_id, item_class);

create table quality.request_answers (
    answer_id text primary key,
    file_sha256 text not null,
    row_no integer not null,
    row_key text,
    item_id text references quality.work_items (item_id),
    batch_id text references quality.request_batches (batch_id),
    outcome text not null check (outcome in ('applied', 'held', 'refused')),
    reason_code text not null,
    result_code text,
    has_number boolean not null,
    answer_mark bytea,
    answered_date date,
    event_date date not null,
    recorded_at timestamptz not null default now(),
    unique (file_sha256, row_no)
);

create index request_answers_of_item on quality.request_answers (item_id) where outcome = 'applied';

-- One file of answers, as a whole: read once, remembered by its hash.
create table quality.request_files (
    file_sha256 text primary key,
    outcome text not null check (outcome in ('read', 'refused')),
    reason_code text not null,
    batch_id text,
    commune_id text,
    item_class text,
    row_count integer not null,
    unanswered_count integer not null,
    recorded_at timestamptz not null default now()
);

-- Numbers given by the police: evidence for matching, never truth by themselves. Sealed like every other number.
create table vault.provided_numbers (
    answer_id text primary key,
    child_id text not null,
    number_index bytea not null,
    number_sealed bytea not null,
    key_version text not null,
    signer_sealed bytea,
    note_sealed bytea,
    batch_id text not null,
    row_key text not null,
    row_no integer not null,
    answered_date date,
    is_reversed boolean not null default false,
    reversed_reason text,
    recorded_at timestamptz not null default now()
);

create index provided_numbers_by_index on vault.provided_numbers (number_index) where not is_reversed;
create index provided_numbers_by_child on vault.provided_numbers (child_id) where not is_reversed;

-- The state of an item follows from its events alone; a step that the life of an item does not know is refused.
create function quality.follow_event() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    current_state text;
    next_state text;
begin
    select w.state into current_state from quality.work_items as w where w.item_id = new.item_id for update;
    next_state := case
        when new.event in ('held', 'refused') then current_state
        when new.event = 'opened' and current_state = 'open' then 'open'
        when new.event = 'reopened' and current_state in ('closed', 'withdrawn') then 'open'
        when new.event = 'sent' and current_state in ('open', 'sent', 'answered') then 'sent'
        when new.event = 'answered' and current_state in ('open', 'sent', 'answered') then 'answered'
        when new.event = 'applied' and current_state in ('open', 'sent', 'answered') then 'applied'
        when new.event = 'reversed' and current_state in ('applied', 'answered') then 'open'
        when new.event = 'closed' and current_state not in ('closed', 'withdrawn') then 'closed'
        when new.event = 'withdrawn' and current_state not in ('closed', 'withdrawn') then 'withdrawn'
    end;
    if next_state is null then
        raise exception 'item %: event % is not possible in state %', new.item_id, new.event, current_state;
    end if;
    update quality.work_items as w set
        state = next_state,
        opened_count = w.opened_count + (new.event = 'reopened')::integer,
        closed_count = w.closed_count + (new.event = 'closed')::integer,
        withdrawn_count = w.withdrawn_count + (new.event = 'withdrawn')::integer,
        last_event_date = greatest(w.last_event_date, new.event_date)
    where w.item_id = new.item_id;
    return new;
end
$$;

create trigger work_item_events_follow
before insert on quality.work_item_events
for each row execute function quality.follow_event();

create trigger work_item_events_append_only
before update or delete or truncate on quality.work_item_events
for each statement execute function quality.refuse_change();

create trigger request_answers_append_only
before update or delete or truncate on quality.request_answers
for each statement execute function quality.refuse_change();

-- The balance over all items, from the events alone; the status command shows it, a test recomputes it.
create view quality.item_balance as
select
    w.item_class,
    count(*) filter (where w.state not in ('closed', 'withdrawn')) as open_count,
    coalesce(sum(w.opened_count), 0) as opened_count,
    coalesce(sum(w.closed_count), 0) as closed_count,
    coalesce(sum(w.withdrawn_count), 0) as withdrawn_count
from quality.work_items as w
group by w.item_class;

-- The steward writes the numbers that answers bring, and nothing else in the vault.
do $$
declare
    steward text := current_database() || '_steward';
begin
    if exists (select 1 from pg_catalog.pg_roles as r where r.rolname = steward) then
        execute format('grant usage on schema vault to %I', steward);
        execute format('grant select, insert, update on vault.provided_numbers to %I', steward);
    end if;
end
$$;

-- Answers that were taken back: with the answers themselves they decide which numbers a build knows.
create view quality.reversed_answers with (security_invoker = true) as
select distinct answers.file_sha256, answers.row_no
from quality.request_answers as answers
inner join quality.work_item_events as events on answers.answer_id = events.answer_id
where events.event = 'reversed';
