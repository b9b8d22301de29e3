-- title: Sales of the last seven days that have orders
-- expect: 7 rows, newest first
-- assert-rows: > 0
-- assert-rows: <= 7
-- assert: sales IS NOT NULL
SELECT order_date AS day, SUM(sales_amount) AS sales
FROM retail_silver.orders_silver
GROUP BY 1
ORDER BY 1 DESC
LIMIT 7;
