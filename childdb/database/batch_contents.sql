-- Every writing of cleaned rows gives their batch another number, whoever writes them: a build reads again only what
-- has another number than it had.
create unique index if not exists batch_contents_batch on clean.batch_contents (_batch_id);
create sequence if not exists clean.content_numbers;

create or replace function clean.number_contents() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    insert into clean.batch_contents (_batch_id, content_no)
    select written._batch_id, nextval('clean.content_numbers')
    from (select distinct _batch_id from changed_rows) as written
    on conflict (_batch_id) do update set content_no = excluded.content_no;
    return null;
end
$$;

create or replace trigger contents_inserted after insert on clean.treem__children
referencing new table as changed_rows for each statement execute function clean.number_contents();

create or replace trigger contents_updated after update on clean.treem__children
referencing new table as changed_rows for each statement execute function clean.number_contents();

create or replace trigger contents_deleted after delete on clean.treem__children
referencing old table as changed_rows for each statement execute function clean.number_contents();

-- Rows that are all taken away at once name no batch: whatever was known of any is looked at again.
create or replace function clean.number_all_contents() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    update clean.batch_contents set content_no = nextval('clean.content_numbers');
    return null;
end
$$;

create or replace trigger contents_truncated after truncate on clean.treem__children
for each statement execute function clean.number_all_contents();
