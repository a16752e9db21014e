-- Which are the largest cities in a box around Paris?
SELECT name, to_char(population, 'FM99,999,999') AS people, location AS "(lon, lat)"
FROM cities
WHERE location <@ box '(1.9,48.6),(2.8,49.1)'
ORDER BY population DESC
LIMIT 10
