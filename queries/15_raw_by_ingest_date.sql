-- title: Landed files and rows by date
-- expect: one row for each ingest_date folder, with its files and data lines
SELECT ingest_date, COUNT(DISTINCT "$path") AS files, COUNT(*) AS "rows"
FROM retail_bronze.orders_raw
GROUP BY ingest_date
ORDER BY ingest_date DESC;
