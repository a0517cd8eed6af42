-- Failing rows come in runs: kept as ranges of row numbers, one line per gate, rule, batch and sheet, a national run
-- writes thousands of lines in place of millions.
alter table quality.gate_failures rename to gate_failures_listed;
alter index quality.gate_failures_of_rule rename to gate_failures_listed_of_rule;

create table quality.gate_failing_rows (
    gate_id text not null references quality.gate_runs (gate_id) on delete cascade,
    rule_id text not null,
    scope_key text not null,
    sheet text,
    row_nos int8multirange not null default '{}',
    row_keys text[] not null default '{}'
);

create index gate_failing_rows_of_rule on quality.gate_failing_rows (gate_id, scope_key, rule_id);

insert into quality.gate_failing_rows (gate_id, rule_id, scope_key, sheet, row_nos, row_keys)
select
    gate_id, rule_id, scope_key, sheet,
    coalesce(range_agg(int8range(row_no, row_no + 1)) filter (where row_no is not null), '{}'),
    coalesce(array_agg(row_key order by row_key) filter (where row_no is null and row_key is not null), '{}')
from quality.gate_failures_listed
group by gate_id, rule_id, scope_key, sheet;

drop table quality.gate_failures_listed;

-- One line per failing row, as people and reports ask for them.
create view quality.gate_failures as
select f.gate_id, f.rule_id, f.scope_key, f.sheet, numbers.row_no, null::text as row_key
from quality.gate_failing_rows as f
cross join lateral unnest(f.row_nos) as run (of_rows)
cross join lateral generate_series(lower(run.of_rows), upper(run.of_rows) - 1) as numbers (row_no)
union all
select f.gate_id, f.rule_id, f.scope_key, f.sheet, null::bigint as row_no, keys.row_key
from quality.gate_failing_rows as f
cross join lateral unnest(f.row_keys) as keys (row_key);
