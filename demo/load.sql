-- The cities as a table with a point, and the same coordinates as ordinary columns.
CREATE EXTENSION btree_gist;   -- for the comparison with gist over ordinary columns
CREATE EXTENSION xtree;

CREATE TABLE city_file (city_id int, name text, country text, lon float8, lat float8, population int);
\copy city_file FROM PROGRAM 'gzip -dc ../data/cities.csv.gz' WITH (FORMAT csv, HEADER)

CREATE TABLE cities AS
SELECT city_id, name, country, point(lon, lat) AS location, lon, lat, population
FROM city_file ORDER BY city_id;
DROP TABLE city_file;
VACUUM ANALYZE cities;

SELECT to_char(count(*), 'FM999,999') AS "cities",
       count(DISTINCT country) AS "countries",
       to_char(sum(population), 'FM9,999,999,999') AS "people",
       pg_size_pretty(pg_table_size('cities')) AS "table size"
FROM cities;
