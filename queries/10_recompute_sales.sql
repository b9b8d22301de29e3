-- title: Stored sales against qty * unit_price computed again
-- expect: diff is 0, give or take floating-point rounding
-- assert: abs(diff) < 0.01
WITH recompute AS (
  SELECT SUM(qty * unit_price) AS calc_sales
  FROM retail_silver.orders_silver
),
stored AS (
  SELECT SUM(sales_amount) AS stored_sales
  FROM retail_silver.orders_silver
)
SELECT stored.stored_sales, recompute.calc_sales,
       ROUND(stored.stored_sales - recompute.calc_sales, 6) AS diff
FROM stored CROSS JOIN recompute;
