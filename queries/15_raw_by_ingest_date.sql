-- title: Landed files and rows by date
-- expect: one row for each ingest_date folder, with its files and data lines
-- assert-rows: > 0
-- assert: files > 0 AND "rows" > 0
SELECT ingest_date, COUNT(DISTINCT "$path") AS files, COUNT(*) AS "rows"
FROM retail_bronze.orders_raw
GROUP BY ingest_date
ORDER BY ingest_date DESC;
