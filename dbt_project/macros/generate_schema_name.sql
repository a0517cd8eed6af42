{#- A folder's schema is its plain name; what nobody configured lands in the profile's default, "misplaced". -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ custom_schema_name | trim if custom_schema_name is not none else target.schema }}
{%- endmacro %}
