{{ config(materialized='incremental', incremental_strategy='insert_overwrite', partitioned_by=['ordered_on']) }}
SELECT order_id, {{ var('day') }} AS loaded_by, CAST(ordered_at AS date) AS ordered_on
FROM {{ ref('orders') }}
{% if is_incremental() %}
WHERE CAST(ordered_at AS date) = DATE '2025-10-0{{ var('day') }}'
{% endif %}
