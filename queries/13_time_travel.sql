-- title: How many orders an earlier snapshot holds
-- expect: the row count after that commit; take a snapshot_id from 12_snapshots
SELECT COUNT(*) AS rows_at_that_time
FROM retail_silver.orders_silver
FOR VERSION AS OF :snapshot_id;
