-- Defects that the communes mend themselves, and files that wait: items with the same life as those of the police lists.
alter table quality.work_items drop constraint work_items_item_class_check;
alter table quality.work_items add constraint work_items_item_class_check
check (item_class in ('no_number', 'wrong_format', 'basic_data', 'fix_list', 'held_file'));
alter table quality.work_items alter column child_id drop not null;
alter table quality.work_items add column batch_id text;
alter table quality.work_items add constraint work_items_about_one_thing
check (num_nonnulls(child_id, batch_id) = 1);
alter table quality.work_items add column owner text generated always as (
    case
        when item_class = 'fix_list' then 'commune_officer'
        when item_class = 'held_file' then 'sender'
        else 'commune_police'
    end
) stored;

-- Rows of the fix lists that went out: a returned list is known by them, and a row of another commune is not taken.
create table quality.fix_rows (
    row_key text primary key,
    row_hash text not null,
    list_id text not null,
    commune_id text not null,
    child_id text not null,
    record_id text not null,
    unique (list_id, record_id)
);

create table quality.fix_files (
    file_sha256 text primary key,
    list_id text,
    commune_id text,
    row_count integer not null,
    closed_count integer not null,
    recorded_at timestamptz not null default now()
);

-- Every stretch of an item's life, from its opening to its end or to now.
create view quality.item_episodes with (security_invoker = true) as
with turns as (
    select
        e.item_id,
        e.event,
        e.event_date,
        lead(e.event) over life as next_event,
        lead(e.event_date) over life as next_date
    from quality.work_item_events as e
    where e.event in ('opened', 'reopened', 'closed', 'withdrawn')
    window life as (partition by e.item_id order by e.event_no)
)
select
    w.item_id,
    w.commune_id,
    w.item_class,
    t.event_date as opened_date,
    t.next_event as ended_by,
    t.next_date as ended_date
from turns as t
inner join quality.work_items as w on t.item_id = w.item_id
where t.event in ('opened', 'reopened');
