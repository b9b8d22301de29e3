{{ config(materialized='table', table_type='hive', format='parquet', partitioned_by=['ordered_on']) }}
SELECT order_id, amount, CAST(ordered_at AS date) AS ordered_on
FROM {{ ref('orders') }}
