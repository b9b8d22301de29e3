-- title: The latest commits to the table
-- expect: one row for each run that changed something; a run that found nothing new adds none
-- assert-rows: > 0
SELECT snapshot_id, parent_id, committed_at, operation, summary
FROM retail_silver."orders_silver$snapshots"
ORDER BY committed_at DESC
LIMIT 5;
