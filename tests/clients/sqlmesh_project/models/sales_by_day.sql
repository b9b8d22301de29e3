MODEL (
  name sqlmesh_client.sales_by_day,
  kind INCREMENTAL_BY_TIME_RANGE (time_column ordered_on),
  partitioned_by (ordered_on),
  table_format iceberg
);
SELECT sum(amount) AS sales, count(*) AS orders, ordered_on
FROM sqlmesh_client.orders
WHERE ordered_on BETWEEN @start_date AND @end_date
GROUP BY ordered_on
