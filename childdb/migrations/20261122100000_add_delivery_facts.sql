-- Who says a delivery is theirs, whether two deliveries hold the same rows in other bytes, and how new a list is.
alter table ops.batches add column sender_code text;
alter table ops.batches add column content_sha256 text;
alter table ops.batches add column newest_update date;
alter table ops.deliveries add column sender_code text;

create index batches_of_sender on ops.batches (dataset, sender_commune_id);

-- What is held by a gate is held, not refused: its rows are counted as quarantined, as those of a file held by the reader.
update ops.batches set quarantined = quarantined + rejected, rejected = 0
where status = 'held' and reason_code = 'GATE' and rejected > 0;
