with source as (

    select * from {{ source('clean_treem', 'treem__children') }}

),

selected_batches as (

    select * from {{ source('clean_build', 'selected_batches') }}

),

renamed as (

    select
        source.record_id,
        source._batch_id,
        source.sheet as _sheet,
        source.row_no as _row_no,
        selected_batches.file_date,
        selected_batches.file_sha256,
        -- the child
        source.ma_tre as source_child_code,
        source.ho_ten_tre as full_name,
        source.so_dinh_danh as personal_id_no,
        source.so_dinh_danh_raw as received_personal_id_text,
        source.ngay_sinh::date as birth_date,
        source.ngay_sinh_raw as received_birth_date_text,
        source.ngay_sinh_precision as birth_date_precision_code,
        source.birth_year,
        source.birth_month,
        source.gioi_tinh as sex_code,
        source.dan_toc as ethnic_group_code,
        source.so_khai_sinh as birth_registration_no,
        -- where
        source.commune_id,
        source.commune_id_2025,
        source.province_code,
        source.thon as hamlet_name,
        source.ma_ho as household_no,
        -- parents
        source.ho_ten_me as mother_name,
        source.so_dinh_danh_me as mother_personal_id_no,
        source.ho_ten_cha as father_name,
        source.so_dinh_danh_cha as father_personal_id_no,
        coalesce(source.dien_thoai_me, source.dien_thoai_cha) as phone_no,
        -- situation
        coalesce(source.hoan_canh_dac_biet, array[]::text[]) as special_circumstance_codes,
        source.nguy_co = 'true' as is_at_risk,
        source.ho_ngheo as household_poverty_code,
        coalesce(trim(source.ho_tro), '') <> '' as is_assisted,
        {{ full_date('source.ngay_ho_tro') }} as assistance_date,
        -- what the row itself says of the child's number
        case
            when source.so_dinh_danh is not null then 'given'
            when coalesce(trim(source.so_dinh_danh_raw), '') <> '' then 'wrong'
            else 'none'
        end as number_text_status_code,
        source.da_dang_ky_khai_sinh = 'true' as is_birth_registered,
        source.tinh_trang_hoc_tap as school_status_code,
        -- change
        source.bien_dong as life_event_code,
        {{ full_date('source.ngay_bien_dong') }} as life_event_date,
        {{ full_timestamp('source.ngay_cap_nhat') }} as entered_at
    from source
    inner join selected_batches
        on source._batch_id = selected_batches._batch_id
    where
        source.outcome = 'accepted'
        and selected_batches.dataset = 'treem__children'

)

select * from renamed
