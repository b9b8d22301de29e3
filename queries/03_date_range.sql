-- title: First and last order date
-- expect: two dates, no more than the landed files span; NULL would mean unparsed dates
-- assert: min_date <= max_date
SELECT MIN(order_date) AS min_date, MAX(order_date) AS max_date
FROM retail_silver.orders_silver;
