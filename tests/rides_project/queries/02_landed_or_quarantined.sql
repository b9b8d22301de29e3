-- title: What became of the landed rides
-- expect: every ride of bronze is in silver or quarantined
-- assert: nowhere = 0
SELECT count(*) AS landed,
  count_if(silver.ride_id IS NULL AND rejected.ride_id IS NULL) AS nowhere
FROM city_bronze.rides_raw AS raw
LEFT JOIN city_silver.rides_silver AS silver ON silver.ride_id = raw.ride_id
LEFT JOIN city_silver.rides_rejected AS rejected ON rejected.ride_id = raw.ride_id;
