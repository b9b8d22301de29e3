-- title: How many customers and products have orders
-- expect: no more than customers.csv and products.csv list
SELECT COUNT(DISTINCT customer_id) AS distinct_customers,
       COUNT(DISTINCT product_id)  AS distinct_products
FROM retail_silver.orders_silver;
