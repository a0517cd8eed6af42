-- Who has sent by which deadline: one row per commune due, judged when a run has cleaned what came. Names of communes only.
create table ops.sender_states (
    dataset text not null,
    deadline date not null,
    first_day date not null,
    as_of date not null,
    commune_id text not null,
    commune_name text not null,
    province_code text not null,
    state text not null check (state in ('sent', 'partly', 'held', 'missing')),
    file_date date,
    batch_id text references ops.batches (batch_id),
    primary key (dataset, deadline, commune_id)
);

create view ops.who_has_not_sent as
select s.dataset, s.deadline, s.as_of, s.province_code, s.commune_id, s.commune_name, s.state, s.file_date, s.batch_id
from ops.sender_states as s
where s.state <> 'sent';
