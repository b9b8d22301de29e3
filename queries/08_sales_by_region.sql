-- title: Sales by the customer's region
-- expect: one row for each region; region comes from customers.csv
SELECT region, ROUND(SUM(sales_amount), 2) AS sales
FROM retail_silver.orders_silver
GROUP BY 1
ORDER BY sales DESC;
