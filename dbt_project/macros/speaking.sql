{#- Order of a child's rows, the one that speaks for it first: a place that still has it before one it left, then the
    latest file, entry and row. -#}
{% macro who_speaks_first() -%}
    (life_event_code is not distinct from 'moved_out') asc,
    file_date desc,
    entered_at desc nulls last,
    _batch_id desc,
    _row_no desc,
    record_id desc
{%- endmacro %}

{#- Whether a row, with the columns of fct_registrations, counts its child on a day. -#}
{% macro counting_status(rows, on_date) -%}
    case
        when {{ rows }}.life_event_code = 'moved_out' then 'moved_out'
        when
            {{ rows }}.life_event_code = 'died'
            and coalesce({{ rows }}.life_event_date <= {{ on_date }}, true)
            then 'died'
        when {{ rows }}.effective_birth_date > {{ on_date }} then 'not_yet_born'
        when {{ age_in_years(rows ~ '.effective_birth_date', on_date) }} >= 16 then 'turned_16'
        else 'counted'
    end
{%- endmacro %}

{#- The row is what was known on a day. -#}
{% macro is_known_on(rows, on_date) -%}
    {{ rows }}.known_from_date <= {{ on_date }}
    and coalesce({{ rows }}.known_to_date > {{ on_date }}, true)
{%- endmacro %}

{#- What a state keeps of the row that speaks. -#}
{% macro state_columns(rows) -%}
    {%- for column in [
        'commune_id', 'commune_id_2025', 'province_code', 'sex_code', 'effective_birth_date', 'ethnic_group_code',
        'special_circumstance_codes', 'is_at_risk', 'household_poverty_code', 'is_assisted', 'assistance_date',
        'school_status_code', 'number_text_status_code', 'life_event_code', 'life_event_date'
    ] %}
    {{ rows }}.{{ column }},
    {%- endfor %}
    case
        when {{ rows }}.is_number_confirmed then 'confirmed'
        else {{ rows }}.number_text_status_code
    end as number_status_code
{%- endmacro %}

{#- The states of children of one row: the row speaks for itself, as long as it is known. -#}
{% macro only_states(registrations, several) -%}
    select
        {{ registrations }}.child_id,
        {{ registrations }}.record_id,
        {{ registrations }}.known_from_date,
        {{ registrations }}.known_to_date,
        {{ state_columns(registrations) }}
    from {{ registrations }}
    left join {{ several }}
        on {{ registrations }}.child_id = {{ several }}.child_id
    where {{ several }}.child_id is null
{%- endmacro %}
