-- A list of a hundred answers moves its items in one statement: the rule is that of before, by round and not by row.
create function quality.next_state(item_id text, state text, event text) returns text
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
declare
    next_state text := case
        when event in ('held', 'refused') then state
        when event = 'opened' and state = 'open' then 'open'
        when event = 'reopened' and state in ('closed', 'withdrawn') then 'open'
        when event = 'sent' and state in ('open', 'sent', 'answered') then 'sent'
        when event = 'answered' and state in ('open', 'sent', 'answered') then 'answered'
        when event = 'applied' and state in ('open', 'sent', 'answered') then 'applied'
        when event = 'reversed' and state in ('applied', 'answered') then 'open'
        when event = 'closed' and state not in ('closed', 'withdrawn') then 'closed'
        when event = 'withdrawn' and state not in ('closed', 'withdrawn') then 'withdrawn'
    end;
begin
    if next_state is null then
        raise exception 'item %: event % is not possible in state %', item_id, event, state;
    end if;
    return next_state;
end
$$;

-- The n-th events of all items of a statement are one round: an item with several goes through them in their order.
create function quality.follow_events() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    this_round integer := 0;
begin
    loop
        this_round := this_round + 1;
        update quality.work_items as w set
            state = quality.next_state(w.item_id, w.state, e.event),
            opened_count = w.opened_count + (e.event = 'reopened')::integer,
            closed_count = w.closed_count + (e.event = 'closed')::integer,
            withdrawn_count = w.withdrawn_count + (e.event = 'withdrawn')::integer,
            last_event_date = greatest(w.last_event_date, e.event_date)
        from (
            select
                n.item_id,
                n.event,
                n.event_date,
                row_number() over (partition by n.item_id order by n.event_no) as round_no
            from new_events as n
        ) as e
        where e.item_id = w.item_id and e.round_no = this_round;
        exit when not found;
    end loop;
    return null;
end
$$;

drop trigger work_item_events_follow on quality.work_item_events;
drop function quality.follow_event();
create trigger work_item_events_follow
after insert on quality.work_item_events
referencing new table as new_events
for each statement execute function quality.follow_events();
