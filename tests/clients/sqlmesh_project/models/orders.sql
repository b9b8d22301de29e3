MODEL (
  name sqlmesh_client.orders,
  kind SEED (path '../seeds/orders.csv'),
  columns (order_id INT, customer_id INT, amount DOUBLE, ordered_on DATE),
  audits (unique_values(columns := order_id), not_null(columns := order_id))
);
