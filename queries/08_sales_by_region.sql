-- title: Sales by the customer's region
-- expect: one row for each region; region comes from customers.csv
-- assert-rows: > 0
-- assert: abs(sum(sales) OVER () - (SELECT SUM(sales_amount) FROM retail_silver.orders_silver)) <= 0.01 * count(*) OVER ()
SELECT region, ROUND(SUM(sales_amount), 2) AS sales
FROM retail_silver.orders_silver
GROUP BY 1
ORDER BY sales DESC;
