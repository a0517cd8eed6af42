-- Who seems to have sent a batch and for which day, known before it is cleaned: gates compare its volume with the
-- sender's own history by it. The ledger's columns are written once, by cleaning.
create table ops.batch_arrivals (
    batch_id text primary key references ops.batches (batch_id) on delete cascade,
    sender_commune_id text,
    file_date date
);
