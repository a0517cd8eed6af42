-- What reading and cleaning remarked, by file, sheet, row and column; sentences stand with findings on whole files only,
-- those on rows are told by their rule. No value of a person.
create table quality.findings (
    batch_id text not null references ops.batches (batch_id),
    stage text not null check (stage in ('reading', 'cleaning')),
    sheet text,
    row_no integer,
    column_name text,
    rule_id text not null,
    severity text not null check (severity in ('info', 'repaired', 'warning', 'error')),
    reason_code text not null,
    message_vi text,
    message_en text
);

create index findings_of_batch on quality.findings (batch_id, stage);
