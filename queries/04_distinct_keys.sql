-- title: How many customers and products have orders
-- expect: no more than customers.csv and products.csv list
-- assert: distinct_customers > 0 AND distinct_products > 0
SELECT COUNT(DISTINCT customer_id) AS distinct_customers,
       COUNT(DISTINCT product_id)  AS distinct_products
FROM retail_silver.orders_silver;
