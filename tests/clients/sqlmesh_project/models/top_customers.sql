MODEL (name sqlmesh_client.top_customers, kind VIEW);
SELECT customer_id FROM sqlmesh_client.sales_by_customer WHERE sales > 10
