{{ report_figures(
    source('clean_cases', 'cases__figures'),
    source('clean_build', 'selected_batches')
) }}
