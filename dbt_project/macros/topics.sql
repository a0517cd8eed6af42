{#- What the row of a state says beyond the ordinary, one row per topic: living somewhere, being at risk, being poor,
    having left school. For "cross join lateral". -#}
{% macro topics_said_by(states) -%}
    (
        select
            'special_circumstance' as topic_code,
            circumstance_code as value_code,
            null::date as stated_date
        from unnest({{ states }}.special_circumstance_codes) as listed (circumstance_code)
        group by circumstance_code
        union all
        select
            'at_risk' as topic_code,
            'at_risk' as value_code,
            null::date as stated_date
        where {{ states }}.is_at_risk
        union all
        select
            'poverty' as topic_code,
            {{ states }}.household_poverty_code as value_code,
            null::date as stated_date
        where {{ states }}.household_poverty_code in ('poor', 'near_poor')
        union all
        select
            'assistance' as topic_code,
            'assisted' as value_code,
            {{ states }}.assistance_date as stated_date
        where {{ states }}.is_assisted
        union all
        select
            'schooling' as topic_code,
            {{ states }}.school_status_code as value_code,
            null::date as stated_date
        -- 1: in school, the ordinary; 2: below school age
        where {{ states }}.school_status_code not in ('1', '2')
        union all
        select
            'number' as topic_code,
            {{ states }}.number_status_code as value_code,
            null::date as stated_date
        where {{ states }}.number_status_code <> 'confirmed'
        union all
        select
            'residence' as topic_code,
            {{ states }}.commune_id as value_code,
            case when {{ states }}.life_event_code = 'moved_in' then {{ states }}.life_event_date end
                as stated_date
        where
            {{ states }}.commune_id is not null
            and {{ states }}.life_event_code is distinct from 'moved_out'
            and {{ states }}.life_event_code is distinct from 'died'
    ) as topics
{%- endmacro %}
