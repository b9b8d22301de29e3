-- title: Takings by borough
-- expect: a total for each borough, none of them negative
-- assert: total >= 0 AND rides > 0
-- assert-rows: > 0
SELECT coalesce(borough, 'elsewhere') AS borough, count(*) AS rides, sum(total) AS total
FROM city_silver.rides_silver
GROUP BY 1
ORDER BY total DESC;
