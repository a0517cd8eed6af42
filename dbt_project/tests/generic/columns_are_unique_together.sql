{#- Passes when no two rows agree in all the columns; NULL counts as a value. -#}
{% test columns_are_unique_together(model, column_names) %}

select
    {{ column_names | join(', ') }},
    count(*) as row_count
from {{ model }}
group by {{ column_names | join(', ') }}
having count(*) > 1

{% endtest %}
