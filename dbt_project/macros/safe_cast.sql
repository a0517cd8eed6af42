{#- Casts of the rows of a unit test: PostgreSQL calls every array type "ARRAY", which is no type to cast to; ours are of text. -#}
{% macro postgres__safe_cast(field, type) -%}
    cast({{ field }} as {{ "text[]" if type | upper == "ARRAY" else type }})
{%- endmacro %}
