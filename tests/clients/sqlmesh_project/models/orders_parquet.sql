MODEL (name sqlmesh_client.orders_parquet, kind FULL, storage_format parquet, partitioned_by (ordered_on));
SELECT order_id, amount, ordered_on FROM sqlmesh_client.orders
