-- Which ten places are nearest to the Eiffel Tower?
SELECT name, country, round((location <-> point '(2.2945,48.8584)')::numeric, 4) AS "distance (degrees)"
FROM cities
ORDER BY location <-> point '(2.2945,48.8584)'
LIMIT 10
