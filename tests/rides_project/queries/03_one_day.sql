-- title: Only the files of one day are read
-- assert-plan: constraint on [started_at]
EXPLAIN SELECT sum(total) FROM city_silver.rides_silver
WHERE started_at >= TIMESTAMP '2025-09-01 00:00:00' AND started_at < TIMESTAMP '2025-09-02 00:00:00';
