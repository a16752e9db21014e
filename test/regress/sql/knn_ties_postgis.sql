-- Equal geometries, nearest first: see knn_ties.sql, whose functions are used here.
SET client_min_messages = warning;
CREATE EXTENSION xtree_postgis CASCADE;
RESET client_min_messages;
-- `<#>` is known from the key, `<->` from a point to points whose coordinates are floats, and everything at 0.
CREATE TABLE shape_ties AS SELECT i AS id, CASE WHEN i % 100 = 0 THEN ST_MakePoint(i % 7, i % 11) ELSE 'POINT(2.5 3.25)' END AS p,
  CASE WHEN i % 100 = 0 THEN ST_MakePoint(i % 7 + 0.3, i % 11) ELSE 'POINT(2.3 4.1)' END AS q,
  CASE WHEN i % 100 = 0 THEN ST_MakePoint(i % 7, i % 11) ELSE 'POLYGON((1.1 2.2, 5.3 2.2, 5.3 6.1, 1.1 2.2))' END AS y,
  CASE WHEN i % 100 = 0 THEN ST_MakePoint(i % 7, i % 11) ELSE 'POINT(2.3 4.1)' END::geography AS e FROM generate_series(1, 20000) i;
CREATE INDEX shape_ties_p ON shape_ties USING xtree (p);
CREATE INDEX shape_ties_q ON shape_ties USING xtree (q);
CREATE INDEX shape_ties_y ON shape_ties USING xtree (y);
CREATE INDEX shape_ties_e ON shape_ties USING xtree (e);
SELECT cost.* FROM unnest(ARRAY[$$p <-> 'POINT(2.5 3.25)'$$, $$p <-> 'POINT(0.3 0.7)'$$, $$p <#> 'POINT(0.3 0.7)'$$, $$p <#> 'LINESTRING(0.3 0.7, 0.4 3)'$$,
  $$q <-> 'POINT(2.3 4.1)'$$, $$q <#> 'POINT(0.3 0.7)'$$, $$q <#> 'POINT(2.3 4.1)'$$, $$y <-> 'POINT(4.9 4.1)'$$, $$y <#> 'POINT(0.3 0.7)'$$,
  $$y <#> 'POINT(0.3 4)'$$, $$e <-> 'POINT(2.3 4.1)'$$]) ordering, cost_of_ties('shape_ties', ordering) cost;
SELECT ordering, (agree(format('SELECT %s FROM shape_ties ORDER BY 1', ordering))).*
FROM unnest(ARRAY[$$p <-> 'POINT(0.3 0.7)'$$, $$q <-> 'POINT(0.3 0.7)'$$, $$q <#> 'LINESTRING(0.3 0.7, 0.4 3)'$$, $$y <#> 'POINT(0.3 0.7)'$$]) ordering;
-- All that may lie at one point.
CREATE TABLE at_a_point AS SELECT i AS id, g::geometry AS g FROM unnest(ARRAY['POINT(5 0)', 'POINT Z (5 0 7)', 'MULTIPOINT(5 0, 5 0)', 'LINESTRING(5 0, 5 0)',
  'POLYGON((5 0, 5 0, 5 0, 5 0))', 'TRIANGLE((5 0, 5 0, 5 0, 5 0))', 'CIRCULARSTRING(5 0, 5 0, 5 0)', 'COMPOUNDCURVE((5 0, 5 0), CIRCULARSTRING(5 0, 5 0, 5 0))',
  'GEOMETRYCOLLECTION(POINT(5 0), LINESTRING(5 0, 5 0))', 'POINT(5 0.5)', 'POINT(0.1 0.7)']) WITH ORDINALITY AS t(g, i), generate_series(1, 50);
CREATE INDEX at_a_point_g ON at_a_point USING xtree (g);
SELECT q, (agree(format('SELECT g <-> %L FROM at_a_point ORDER BY 1', q))).*
FROM unnest('{"POINT(0.1 0.7)", "POINT(5 0)", "POINT Z (1.1 2.3 4)", "LINESTRING(0.1 0.7, 0.3 2.2)", "MULTIPOINT(0.1 0.7)"}'::text[]) q;
SELECT xtree_check(oid, true) FROM pg_class WHERE relname IN ('shape_ties_p', 'shape_ties_y', 'shape_ties_e', 'at_a_point_g') ORDER BY relname;
DROP TABLE shape_ties, at_a_point;
SET client_min_messages = warning;
DROP EXTENSION postgis CASCADE;
