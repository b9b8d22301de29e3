{{ config(materialized='incremental', incremental_strategy='append', table_type='iceberg') }}
SELECT order_id, amount
FROM {{ ref('orders') }}
{% if is_incremental() %}
WHERE order_id > (SELECT max(order_id) FROM {{ this }})
{% endif %}
