{{ config(materialized='table', table_type='iceberg', partitioned_by=['day(ordered_at)']) }}
SELECT order_id, customer_id, amount, ordered_at
FROM {{ source('landed', 'landed_orders') }}
WHERE day(ordered_at) <= {{ var('day') }}
