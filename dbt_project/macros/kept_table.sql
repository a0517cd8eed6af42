{#- A table that a build changes only where its inputs changed. "keeps" says what its rows hang on: lists, records,
    children, versions of children, or the release at hand. -#}
{% materialization kept_table, adapter='postgres' -%}
    {%- set target = this.incorporate(type='table') -%}
    {%- set there = load_cached_relation(this) -%}
    {%- set keeps = config.require('keeps') -%}
    {%- set stays = there is not none and not there.is_view
        and (is_increment() or keeps in ('versions', 'release')) -%}
    {%- set build_no = kept_build_no(keeps) -%}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {% if stays %}
        {% call statement('main') -%}
            {{ context['change_' ~ keeps](sql, build_no) }}
        {%- endcall %}
    {% else %}
        {%- set intermediate = make_intermediate_relation(target) -%}
        {% call statement('main') -%}
            {{ begin_version(build_no) if keeps == 'versions' }}
            {{ get_create_table_as_sql(False, intermediate, sql) }}
            {{ register_lists() ~ forget_touched() if keeps == 'records' }}
        {%- endcall %}
        {% do create_indexes(intermediate) %}
        {#- By dbt's own ways, so that it knows which views fell with the table. -#}
        {% if there is not none %}{% do adapter.drop_relation(there) %}{% endif %}
        {% do adapter.rename_relation(intermediate, target) %}
    {% endif %}
    {% if keeps != 'release' %}
        {% call statement('mark') -%}{{ note_mark(not stays, build_no) }}{%- endcall %}
    {% endif %}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {% do adapter.commit() %}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target]}) }}
{%- endmaterialization %}

{#- Who writes down touched children, or versions, needs a number of its own; the others stand where those stand. -#}
{% macro kept_build_no(keeps) -%}
    {%- if keeps in ('records', 'versions', 'lists') or config.get('follows_age') -%}{{ return(next_build_no()) }}{%- endif -%}
    {%- set followed = build_mark('fct_registrations') -%}
    {{ return(followed.build_no if followed is not none else 0) }}
{%- endmacro %}

{% macro insert_rows(sql) -%}
    insert into {{ this }} ({{ contracted_columns() }})
    select {{ contracted_columns("increment.") }}
    from (
        {{ sql }}
    ) as increment;
{%- endmacro %}

{#- Rows of files that are no longer counted, or hold something else now, give way to those of files not there yet. -#}
{% macro change_lists(sql, build_no) -%}
    delete from {{ this }} as kept
    where not exists (
        select 1 from {{ ref('stg_build__batches') }} as batches
        where
            batches._batch_id = kept._batch_id and batches.content_no = kept.content_no
            and batches.file_date = kept.file_date
    );
    {{ insert_rows(sql) }}
{%- endmacro %}

{#- Records of changed lists come anew; of those whose child or decision is another now, only that is changed. The
    children before and after are touched. What goes is found in one pass that several processors share, and is
    then reached by its place in the table. -#}
{% macro change_records(sql, build_no) -%}
    {{ find_changed_lists() }}
    {{ find_changed_records() }}
    {{ forget_what_all_followed() }}
    insert into core.touched_children (build_no, child_id)
    select {{ build_no }}, child_id from changed_records
    union
    select {{ build_no }}, next_child_id from changed_records where not is_of_changed_list;
    delete from {{ this }} as kept using changed_records as going
    where kept.ctid = going.row_at and going.is_of_changed_list;
    update {{ this }} as kept
    set
        child_id = decided.next_child_id, identity_decision_code = decided.next_decision_code,
        is_number_confirmed = decided.is_confirmed_next
    from changed_records as decided
    where kept.ctid = decided.row_at and not decided.is_of_changed_list;
    create temporary table new_records on commit drop as
    {{ sql }}
    ;
    insert into {{ this }} ({{ contracted_columns() }}) select {{ contracted_columns() }} from new_records;
    insert into core.touched_children (build_no, child_id)
    select distinct {{ build_no }}, child_id from new_records;
    analyze core.touched_children;
    {{ register_lists() }}
{%- endmacro %}

{% macro change_children(sql, build_no) -%}
    {{ touch_aged_children(build_no) if config.get('ages') }}
    create temporary table going_rows on commit drop as
    select kept.ctid as row_at from {{ this }} as kept where kept.child_id in ({{ touched_children() }});
    analyze going_rows;
    create temporary table new_rows on commit drop as
    {{ sql }}
    ;
    delete from {{ this }} as kept using going_rows where kept.ctid = going_rows.row_at;
    insert into {{ this }} ({{ contracted_columns() }}) select {{ contracted_columns() }} from new_rows;
{%- endmacro %}

{#- What a child is known as now ends the version before, where the two differ. -#}
{% macro change_versions(sql, build_no) -%}
    {%- set own = ['first_build_no', 'last_build_no'] -%}
    {{ begin_version(build_no) }}
    create temporary table new_versions on commit drop as
    {{ sql }}
    ;
    analyze new_versions;
    update {{ this }} as kept set last_build_no = {{ build_no }} - 1
    where
        kept.last_build_no is null
        {% if is_increment() %}and kept.child_id in ({{ touched_children() }}){% endif %}
        and not exists (
            select 1 from new_versions
            where
                new_versions.child_id = kept.child_id
                {%- for name in model['columns'] if name not in own and name != 'child_id' %}
                and new_versions.{{ name }} is not distinct from kept.{{ name }}
                {%- endfor %}
        );
    insert into {{ this }} ({{ contracted_columns() }})
    select {{ contracted_columns("new_versions.") }}
    from new_versions
    where not exists (
        select 1 from {{ this }} as kept
        where kept.child_id = new_versions.child_id and kept.last_build_no is null
    );
{%- endmacro %}

{% macro change_release(sql, build_no) -%}
    delete from {{ this }} where release_id = '{{ build_value("release_id") }}';
    {{ insert_rows(sql) }}
{%- endmacro %}

{#- The number of the build at hand, for the rows that a statement writes. -#}
{% macro begin_version(build_no) -%}
    select set_config('childdb.build_no', '{{ build_no }}', true);
{%- endmacro %}

{#- Lists that came, went, hold something else, or are known from or to another day. -#}
{% macro find_changed_lists() -%}
    delete from core.changed_lists;
    insert into core.changed_lists (_batch_id, commune_key)
    select
        coalesce(now_there._batch_id, registered._batch_id),
        coalesce(now_there.commune_key, registered.commune_key)
    from (
        select
            _batch_id, coalesce(commune_id, '') as commune_key, content_no, known_from_date, known_to_date
        from {{ ref('fct_commune_lists') }}
    ) as now_there
    full outer join core.registered_lists as registered
        on
            now_there._batch_id = registered._batch_id
            and now_there.commune_key = registered.commune_key
    where
        now_there.content_no is distinct from registered.content_no
        or now_there.known_from_date is distinct from registered.known_from_date
        or now_there.known_to_date is distinct from registered.known_to_date;
    analyze core.changed_lists;
{%- endmacro %}

{#- Registrations of changed lists, and those whose child, decision or confirmation is another now. -#}
{% macro find_changed_records() -%}
    create temporary table changed_records on commit drop as
    select
        kept.ctid as row_at,
        kept.child_id,
        changed_lists._batch_id is not null as is_of_changed_list,
        coalesce(links.child_id, kept.record_id) as next_child_id,
        coalesce(links.decision, 'none') as next_decision_code,
        coalesce(children.confirmed, false) as is_confirmed_next
    from {{ this }} as kept
    left join core.changed_lists
        on
            kept._batch_id = changed_lists._batch_id
            and coalesce(kept.commune_id, '') = changed_lists.commune_key
    left join {{ source('identity', 'record_links') }} as links
        on kept.record_id = links.record_id
    left join {{ source('identity', 'children') }} as children
        on coalesce(links.child_id, kept.record_id) = children.child_id
    where
        changed_lists._batch_id is not null
        or kept.child_id <> coalesce(links.child_id, kept.record_id)
        or kept.identity_decision_code <> coalesce(links.decision, 'none')
        or kept.is_number_confirmed <> coalesce(children.confirmed, false);
    analyze changed_records;
{%- endmacro %}

{#- Delivered rows of which the registrations have to be made again; all of them where they are made anew. -#}
{% macro changed_records_of(relation) -%}
    {%- if is_increment() -%}
    (
        select delivered.*
        from {{ relation }} as delivered
        where
            delivered._batch_id in (select _batch_id from core.changed_lists)
            and (delivered._batch_id, coalesce(delivered.commune_id, ''))
            in (select _batch_id, commune_key from core.changed_lists)
    ) as changed
    {%- else -%}
    {{ relation }}
    {%- endif -%}
{%- endmacro %}

{#- The lists that the registrations stand on from now. -#}
{% macro register_lists() -%}
    delete from core.registered_lists;
    insert into core.registered_lists (_batch_id, commune_key, content_no, known_from_date, known_to_date)
    select
        _batch_id, coalesce(commune_id, ''), content_no, known_from_date, known_to_date
    from {{ ref('fct_commune_lists') }};
{%- endmacro %}

{#- Where everything is made anew, who follows makes itself anew as well: nothing of before is to be remembered. -#}
{% macro forget_touched() -%}
    delete from core.touched_children;
    delete from core.aged_children;
{%- endmacro %}

{#- What every model that keeps a mark has followed is asked for no more. -#}
{% macro forget_what_all_followed() -%}
    {%- for table in ['touched_children', 'aged_children'] %}
    delete from core.{{ table }}
    where build_no <= (
        select min(build_no) from core.build_marks where model_name <> 'int_lists__contents'
    );
    {%- endfor %}
{%- endmacro %}

{#- Children who stand otherwise on the reference date than on that of the build before. -#}
{% macro touch_aged_children(build_no) -%}
    {%- set before = "date '" ~ build_mark(this.identifier).reference_date ~ "'" -%}
    create temporary table aged_now on commit drop as
    select kept.child_id
    from {{ this }} as kept
    where
        {{ before }} <> {{ reference_date() }}
        and (
            kept.age_in_years is distinct from {{ age_in_years('kept.effective_birth_date', reference_date()) }}
            or kept.counting_status_code <> {{ counting_status('kept', reference_date()) }}
        );
    insert into core.aged_children (build_no, child_id) select {{ build_no }}, child_id from aged_now;
    analyze core.aged_children;
{%- endmacro %}
