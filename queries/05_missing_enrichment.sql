-- title: Orders whose customer or product was not found
-- expect: 0 and 0, unless orders name ids that never landed
-- assert: missing_region = 0 AND missing_category = 0
SELECT SUM(CASE WHEN region   IS NULL THEN 1 ELSE 0 END) AS missing_region,
       SUM(CASE WHEN category IS NULL THEN 1 ELSE 0 END) AS missing_category
FROM retail_silver.orders_silver;
