{#- A table under contract is made by "create table as", which PostgreSQL runs on several processors and writes without
    the log; dbt's own way, an insert into an empty table, does neither. The types are those of the contract, and what
    may not be missing is checked in one pass over the finished table. -#}
{% macro postgres__create_table_as(temporary, relation, sql) -%}
  {%- set is_contracted = config.get('contract').enforced and not temporary -%}
  {%- if is_contracted -%}{{ get_assert_columns_equivalent(sql) }}{%- endif -%}
  create {{ "temporary" if temporary else "unlogged" if config.get('unlogged', default=false) }} table {{ relation }} as
  {%- if is_contracted %}
  select
    {%- for column in model['columns'].values() %}
    cast(contracted.{{ adapter.quote(column['name']) }} as {{ column['data_type'] }}) as {{ adapter.quote(column['name']) }}
    {{- "," if not loop.last }}
    {%- endfor %}
  from (
    {{ sql }}
  ) as contracted;
  {{ require_contracted_values(relation) }}
  {%- else %}
  (
    {{ sql }}
  );
  {%- endif %}
{%- endmacro %}

{#- Columns of a contract that may not be missing, as one statement. -#}
{% macro require_contracted_values(relation) -%}
  {%- set required = [] -%}
  {%- for column in model['columns'].values() -%}
    {%- for constraint in column['constraints'] if constraint['type'] == 'not_null' -%}
      {%- do required.append("alter column " ~ adapter.quote(column['name']) ~ " set not null") -%}
    {%- endfor -%}
  {%- endfor -%}
  {%- if required -%} alter table {{ relation }} {{ required | join(", ") }}; {%- endif -%}
{%- endmacro %}
