-- A batch of lists leaves the house only by a person's word; reminders are told once per list and round.
create table quality.request_dispatches (
    batch_id text primary key references quality.request_batches (batch_id),
    approved_by text not null check (btrim(approved_by) <> ''),
    approved_at timestamptz not null,
    list_count integer not null,
    recorded_at timestamptz not null default now()
);

create table quality.request_reminders (
    batch_id text not null references quality.request_batches (batch_id),
    commune_id text not null,
    item_class text not null,
    round_no integer not null check (round_no >= 1),
    unanswered_count integer not null check (unanswered_count > 0),
    reminded_on date not null,
    primary key (batch_id, commune_id, item_class, round_no)
);

create trigger request_dispatches_append_only
before update or delete or truncate on quality.request_dispatches
for each statement execute function quality.refuse_change();

-- Lists that left, and how many of their rows nobody has answered.
create view quality.open_lists with (security_invoker = true) as
select
    r.batch_id,
    r.commune_id,
    r.item_class,
    b.due_date,
    count(*) as row_count,
    count(*) filter (
        where not exists (select 1 from quality.request_answers as a where a.row_key = r.row_key)
        and w.state = 'sent'
    ) as unanswered_count
from quality.request_rows as r
inner join quality.request_batches as b on r.batch_id = b.batch_id
inner join quality.request_dispatches as d on r.batch_id = d.batch_id
inner join quality.work_items as w on r.item_id = w.item_id
group by r.batch_id, r.commune_id, r.item_class, b.due_date;
