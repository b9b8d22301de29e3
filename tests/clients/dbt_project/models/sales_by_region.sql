{{ config(materialized='view') }}
SELECT c.region, sum(o.amount) AS sales, count(*) AS orders
FROM {{ ref('orders') }} o
JOIN {{ ref('customers') }} c ON c.customer_id = o.customer_id
GROUP BY 1
