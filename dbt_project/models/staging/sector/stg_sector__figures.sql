{{ report_figures(
    source('clean_sector', 'sector__figures'),
    source('clean_build', 'selected_batches')
) }}
