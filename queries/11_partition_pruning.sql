-- title: Query plan for one week
-- expect: a scan constrained on order_date: Iceberg skips the other days' files by their metadata
EXPLAIN
SELECT SUM(sales_amount)
FROM retail_silver.orders_silver
WHERE order_date BETWEEN DATE '2025-09-15' AND DATE '2025-09-21';
