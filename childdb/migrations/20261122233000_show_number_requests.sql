-- What became of the requests for a child's number, without a number: the models tell the status of a number from it.
create view identity.number_requests with (security_invoker = true) as
select
    w.child_id,
    case e.event
        when 'sent' then 'requested'
        when 'applied' then 'provided'
        when 'reversed' then 'provision_reversed'
    end as event_code,
    e.event_date,
    e.batch_id as list_id
from quality.work_item_events as e
inner join quality.work_items as w on e.item_id = w.item_id
where
    e.event in ('sent', 'reversed')
    or (
        e.event = 'applied'
        and exists (
            select 1 from quality.request_answers as a where a.answer_id = e.answer_id and a.has_number
        )
    );
