-- title: Ten orders from silver
-- expect: 10 rows, all columns filled
SELECT *
FROM retail_silver.orders_silver
LIMIT 10;
