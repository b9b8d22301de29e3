-- title: Snapshot history
-- expect: newest first; is_current_ancestor is false for what a rollback undid
-- assert-rows: > 0
SELECT *
FROM retail_silver."orders_silver$history"
ORDER BY made_current_at DESC
LIMIT 5;
