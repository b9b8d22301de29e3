-- title: Query plan for one week
-- expect: a scan constrained on order_date: Iceberg skips the other days' files by their metadata
-- assert-plan: constraint on [order_date]
-- assert-plan: [[2025-09-15, 2025-09-21]]
EXPLAIN
SELECT SUM(sales_amount)
FROM retail_silver.orders_silver
WHERE order_date BETWEEN DATE '2025-09-15' AND DATE '2025-09-21';
