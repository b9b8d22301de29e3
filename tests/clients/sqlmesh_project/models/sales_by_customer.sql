MODEL (
  name sqlmesh_client.sales_by_customer,
  kind INCREMENTAL_BY_UNIQUE_KEY (unique_key customer_id),
  table_format iceberg
);
SELECT customer_id, sum(amount) AS sales
FROM sqlmesh_client.orders
GROUP BY customer_id
