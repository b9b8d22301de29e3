-- title: The ten best-selling product categories
-- expect: at most 10 rows; category comes from products.csv
-- assert-rows: > 0
-- assert-rows: <= 10
SELECT category, ROUND(SUM(sales_amount), 2) AS sales, SUM(qty) AS units
FROM retail_silver.orders_silver
GROUP BY 1
ORDER BY sales DESC
LIMIT 10;
