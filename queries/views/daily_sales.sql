-- title: Orders, items and sales of each day
SELECT order_date AS day,
       COUNT(*) AS orders,
       SUM(qty) AS items,
       ROUND(SUM(sales_amount), 2) AS sales
FROM retail_silver.orders_silver
GROUP BY order_date
