{{ report_figures(
    source('clean_helpline', 'helpline__figures'),
    source('clean_build', 'selected_batches')
) }}
