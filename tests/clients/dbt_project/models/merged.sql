{{ config(
    materialized='incremental', incremental_strategy='merge', unique_key='customer_id', table_type='iceberg',
    delete_condition="src.orders > 2"
) }}
SELECT customer_id, count(*) AS orders, sum(amount) AS sales, {{ var('day') }} AS loaded_by
FROM {{ ref('orders') }}
GROUP BY customer_id
