{#- Seeds go in as one JSON parameter a seed: dbt's own way binds every cell by itself, which took ten seconds
    for the fourteen thousand names of communes and takes a quarter of a second so. -#}
{% macro load_csv_rows(model, agate_table) %}
    {% set entries = [] %}
    {% for row in agate_table.rows %}
        {% set entry = [] %}
        {% for value in row %}
            {% do entry.append(none if value is none else value | string) %}
        {% endfor %}
        {% do entries.append(entry) %}
    {% endfor %}
    {% set declared = model['config'].get('column_types', {}) %}
    {% set casts = [] %}
    {% for name in agate_table.column_names %}
        {% set type = declared.get(name, adapter.convert_type(agate_table, loop.index0)) %}
        {% do casts.append('cast(entry ->> ' ~ loop.index0 ~ ' as ' ~ type ~ ')') %}
    {% endfor %}
    {% set sql %}
        insert into {{ this.render() }} ({{ get_seed_column_quoted_csv(model, agate_table.column_names) }})
        select {{ casts | join(', ') }}
        from json_array_elements(%s::json) as entries (entry)
    {% endset %}
    {% do adapter.add_query(sql, bindings=[tojson(entries)], abridge_sql_log=True) %}
    {{ return(sql) }}
{% endmacro %}
