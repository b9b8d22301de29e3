-- title: How many orders an earlier snapshot holds
-- expect: the row count after that commit; take a snapshot_id from 12_snapshots, or leave it out for the first one
-- parameter: snapshot_id = SELECT snapshot_id FROM retail_silver."orders_silver$snapshots" ORDER BY committed_at LIMIT 1
-- assert: CAST(rows_at_that_time AS varchar) = (SELECT element_at(summary, 'total-records') FROM retail_silver."orders_silver$snapshots" WHERE snapshot_id = :snapshot_id)
SELECT COUNT(*) AS rows_at_that_time
FROM retail_silver.orders_silver
FOR VERSION AS OF :snapshot_id;
