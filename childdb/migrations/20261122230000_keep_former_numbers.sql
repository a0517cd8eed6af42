-- A number that another takes the place of is kept with its days, never overwritten (Thông tư 59/2021/TT-BCA, Điều 6:
-- a number can be cancelled and established anew). Sealed and found by index like every other number.
alter table vault.child_numbers add column valid_from_date date;

create table vault.former_numbers (
    child_id text not null,
    number_index bytea not null,
    number_sealed bytea not null,
    key_version text not null,
    -- population: the child's confirmed number until valid_to_date; register: what a list still gives beside it
    source text not null check (source in ('population', 'register')),
    valid_from_date date,
    valid_to_date date,
    noted_date date not null,
    replaced_by_index bytea,
    check ((source = 'population') = (valid_to_date is not null)),
    check (valid_from_date <= valid_to_date)
);

create index former_numbers_by_index on vault.former_numbers (number_index);
create index former_numbers_by_child on vault.former_numbers (child_id);
create unique index former_numbers_of_register on vault.former_numbers (child_id, number_index)
where source = 'register';

-- The whole history of a child's numbers, the one in force with an open end.
create view vault.number_history as
select child_id, number_index, source, valid_from_date, valid_to_date, replaced_by_index
from vault.former_numbers
union all
select child_id, number_index, 'population', valid_from_date, null, null
from vault.child_numbers;
