-- Every question put to the population service, with its purpose and without any value; written before it is asked, so that
-- the log and the daily quota are right whatever happens next. The mark is a keyed hash: the same question is known again.
create table quality.service_lookups (
    request_no text primary key,
    item_id text not null references quality.work_items (item_id),
    question_mark bytea not null,
    purpose text not null check (length(btrim(purpose)) >= 10),
    asked_by text not null check (btrim(asked_by) <> ''),
    asked_on date not null,
    recorded_at timestamptz not null default now()
);

create index service_lookups_of_day on quality.service_lookups (asked_on);
create index service_lookups_of_item on quality.service_lookups (item_id);

create table quality.service_replies (
    request_no text primary key references quality.service_lookups (request_no),
    outcome text not null check (outcome in ('applied', 'held', 'not_found', 'failed')),
    reason_code text not null,
    recorded_at timestamptz not null default now()
);

create trigger service_lookups_append_only
before update or delete or truncate on quality.service_lookups
for each statement execute function quality.refuse_change();

create trigger service_replies_append_only
before update or delete or truncate on quality.service_replies
for each statement execute function quality.refuse_change();
