{#- What the build at hand counts, of the variables in dbt_project.yml. childdb gives it as an environment variable, which
    is read when a model runs and not when it is parsed: another day is no reason to parse every model again. -#}
{% macro build_value(name) -%}
    {{ return(env_var("BUILD_" ~ name | upper, var(name)) if execute else var(name)) }}
{%- endmacro %}
