-- title: Sales by channel
-- expect: one row each for web, store and mobile; channel comes from orders.csv
-- assert-rows: > 0
-- assert: abs(sum(sales) OVER () - (SELECT SUM(sales_amount) FROM retail_silver.orders_silver)) <= 0.01 * count(*) OVER ()
SELECT channel, ROUND(SUM(sales_amount), 2) AS sales
FROM retail_silver.orders_silver
GROUP BY 1
ORDER BY sales DESC;
