{#- How a build changes what the last one left. Which children are touched follows from the data: lists that came, went
    or changed, links decided otherwise, days on which somebody grew older. Each model notes up to which number it has
    followed, in the transaction that changes it, so that a build cut short is taken up where each model stands. -#}

{#- Tables the builds keep their numbers in: marks of models, touched children, lists the registrations stand on. -#}
{% macro build_state() -%}
    {#- Before the first transaction dbt has not taken on the role that owns the models. -#}
    {%- if target.role %}set role {{ target.role }};{% endif %}
    create sequence if not exists core.build_numbers;
    create table if not exists core.build_marks (
        model_name text primary key, build_no bigint not null, full_build_no bigint not null,
        reference_date date not null, build_version text not null
    );
    create table if not exists core.touched_children (build_no bigint not null, child_id text not null);
    create table if not exists core.aged_children (build_no bigint not null, child_id text not null);
    create table if not exists core.changed_lists (_batch_id text not null, commune_key text not null);
    create table if not exists core.registered_lists (
        _batch_id text not null, commune_key text not null, content_no bigint not null,
        known_from_date date not null, known_to_date date, primary key (_batch_id, commune_key)
    );
{%- endmacro %}

{#- What a model noted when it was last built; none where it never was. -#}
{% macro build_mark(model_name) -%}
    {%- if execute and run_query("select to_regclass('core.build_marks')").rows[0][0] is not none -%}
        {%- set found = run_query("select build_no, full_build_no, reference_date::text as reference_date, build_version
            from core.build_marks where model_name = '" ~ model_name ~ "'") -%}
        {%- if found | length -%}
            {{ return({
                "build_no": found.rows[0][0] | int, "full_build_no": found.rows[0][1] | int,
                "reference_date": found.rows[0][2] | string, "build_version": found.rows[0][3],
            }) }}
        {%- endif -%}
    {%- endif -%}
    {{ return(none) }}
{%- endmacro %}

{#- Models that a model follows: where one of them was made anew since, so is it. -#}
{% macro followed_models() -%}
    {{ return(['fct_registrations', 'dim_children'] if config.get('follows_age') else ['fct_registrations']) }}
{%- endmacro %}

{#- Whether the model at hand is changed where something was touched, and not made anew. -#}
{% macro is_increment() -%}
    {%- if not execute -%}{{ return(false) }}{%- endif -%}
    {%- set there = adapter.get_relation(this.database, this.schema, this.identifier) -%}
    {%- set mark = build_mark(this.identifier) -%}
    {%- if there is none or there.is_view or mark is none or flags.FULL_REFRESH -%}{{ return(false) }}{%- endif -%}
    {%- if mark.build_version != build_value('build_version') -%}{{ return(false) }}{%- endif -%}
    {%- for name in followed_models() if name != this.identifier and config.get('keeps') != 'lists' -%}
        {%- set followed = build_mark(name) -%}
        {%- if followed is none or followed.full_build_no > mark.build_no -%}{{ return(false) }}{%- endif -%}
    {%- endfor -%}
    {{ return(true) }}
{%- endmacro %}

{#- Children touched since the model was last built. -#}
{% macro touched_children() -%}
    {%- set mark = build_mark(this.identifier) -%}
    select child_id from core.touched_children where build_no > {{ mark.build_no }}
    {%- if config.get('follows_age') %}
    union
    select child_id from core.aged_children where build_no > {{ mark.build_no }}
    {%- endif -%}
{%- endmacro %}

{#- Rows of the touched children, or all rows where the model is made anew. -#}
{% macro rows_of_touched(relation) -%}
    {%- if is_increment() -%}
    (select kept.* from {{ relation }} as kept where kept.child_id in ({{ touched_children() }})) as touched
    {%- else -%}
    {{ relation }}
    {%- endif -%}
{%- endmacro %}

{#- Notes up to where the model at hand has followed. -#}
{% macro note_mark(is_full, build_no) -%}
    insert into core.build_marks (model_name, build_no, full_build_no, reference_date, build_version)
    values (
        '{{ this.identifier }}', {{ build_no }}, {{ build_no }}, {{ reference_date() }},
        '{{ build_value("build_version") }}'
    )
    on conflict (model_name) do update set
        build_no = excluded.build_no, reference_date = excluded.reference_date,
        build_version = excluded.build_version
        {%- if is_full %}, full_build_no = excluded.full_build_no{% endif %};
{%- endmacro %}

{#- A number that no build had before. -#}
{% macro next_build_no() -%}
    {{ return(run_query("select nextval('core.build_numbers')").rows[0][0] | int) }}
{%- endmacro %}

{#- Names of the model's columns, with a word before each. -#}
{% macro contracted_columns(prefix="") -%}
    {%- for name in model['columns'] -%}{{ prefix }}{{ adapter.quote(name) }}{{ ", " if not loop.last }}{%- endfor -%}
{%- endmacro %}

{#- The number a model was last built under. -#}
{% macro build_no_of(model_name) -%}
    {%- set mark = build_mark(model_name) -%}
    {{ mark.build_no if mark is not none else 0 }}
{%- endmacro %}

{#- Of the files that are counted, those that the model at hand does not hold. -#}
{% macro and_not_yet_counted() -%}
    {%- if is_increment() -%}
    and _batch_id not in (select kept._batch_id from {{ this }} as kept)
    {%- endif -%}
{%- endmacro %}

{#- Rows of the few files a day brings are reached by index; when everything is made anew, all rows are read at once. -#}
{% macro where_of_few_batches(rows) -%}
    {%- if is_increment() -%}
    where {{ rows }}._batch_id = any(array(select batches._batch_id from batches))
    {%- endif -%}
{%- endmacro %}
