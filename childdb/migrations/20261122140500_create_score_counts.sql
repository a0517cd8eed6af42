-- What the scored rules counted in each list, by the unit each row belongs to now: scores are sums of these counts, so
-- the score of a merged commune is that of its joint rows. Counts only.
create table quality.score_lists (
    batch_id text primary key references ops.batches (batch_id) on delete cascade,
    suite_version text not null,
    counted_at timestamptz not null default now()
);

create table quality.score_counts (
    batch_id text not null references quality.score_lists (batch_id) on delete cascade,
    list_commune_id text not null,
    unit_commune_id text not null,
    rule_id text not null,
    evaluated_count bigint not null check (evaluated_count >= 0),
    failed_count bigint not null check (failed_count between 0 and evaluated_count),
    primary key (batch_id, list_commune_id, unit_commune_id, rule_id)
);

-- One score per unit and month: of each list's commune the newest list of the month counts, and no other.
create view quality.commune_month_scores with (security_invoker = true) as
with lists as (
    select
        c.batch_id,
        c.list_commune_id,
        date_trunc('month', b.file_date)::date as period_month,
        row_number() over (
            partition by c.list_commune_id, date_trunc('month', b.file_date)
            order by b.file_date desc, b.file_sha256 desc
        ) as place
    from (select distinct s.batch_id, s.list_commune_id from quality.score_counts as s) as c
    inner join ops.batches as b on c.batch_id = b.batch_id
    where b.status = 'judged' and b.file_date is not null
)
select
    s.unit_commune_id as commune_id,
    l.period_month,
    count(distinct s.batch_id) as list_count,
    sum(s.evaluated_count)::bigint as evaluated_count,
    sum(s.failed_count)::bigint as failed_count,
    round(1 - sum(s.failed_count) / nullif(sum(s.evaluated_count), 0), 6) as score
from lists as l
inner join quality.score_counts as s on l.batch_id = s.batch_id and l.list_commune_id = s.list_commune_id
where l.place = 1
group by s.unit_commune_id, l.period_month;
