-- title: How many orders silver holds
-- expect: the number of distinct orders landed
-- assert: "rows" > 0
SELECT COUNT(*) AS "rows"
FROM retail_silver.orders_silver;
