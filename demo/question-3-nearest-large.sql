-- Which ten cities with more than a million people are nearest? (one index on location and population)
SELECT name, country, to_char(population, 'FM99,999,999') AS people,
       round((location <-> point '(2.2945,48.8584)')::numeric, 2) AS "distance (degrees)"
FROM cities
WHERE population > 1000000
ORDER BY location <-> point '(2.2945,48.8584)'
LIMIT 10
