{{ report_figures(
    source('clean_activities', 'activities__figures'),
    source('clean_build', 'selected_batches')
) }}
