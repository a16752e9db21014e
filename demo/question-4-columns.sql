-- Which towns of 50,000 to 60,000 people lie in the Alps? (a range over three ordinary columns)
SELECT name, country, to_char(population, 'FM99,999,999') AS people, lon AS "lon (degrees)", lat AS "lat (degrees)"
FROM cities
WHERE lon BETWEEN 5.5 AND 16 AND lat BETWEEN 45.5 AND 47.8 AND population BETWEEN 50000 AND 60000
ORDER BY population DESC
LIMIT 10
