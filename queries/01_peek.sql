-- title: Ten orders from silver
-- expect: 10 rows, all columns filled
-- assert-rows: > 0
SELECT *
FROM retail_silver.orders_silver
LIMIT 10;
