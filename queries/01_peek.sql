-- title: Ten orders as they are in silver
-- expect: 10 rows, all columns filled
SELECT *
FROM retail_silver.orders_silver
LIMIT 10;
