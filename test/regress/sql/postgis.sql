-- xtree_postgis: operators, orderings and ST_ functions give through the index what they give without.
-- Seen to fail: without recheck of values that have no box, with distances from edges that were cut off, without the planner's other family,
-- without values that lack z or m, with << that lets edges touch, without the bulge of arcs, with boxes that NaNs have shrunk, with
-- distances from lines next to zero, with those from lines of no length to speak of.
CREATE EXTENSION xtree_postgis;  -- needs PostGIS
SET client_min_messages = warning;
CREATE EXTENSION xtree_postgis CASCADE;
SELECT opcname, amvalidate(oid) FROM pg_opclass WHERE opcname ~ '^geo' AND opcmethod = (SELECT oid FROM pg_am WHERE amname = 'xtree')
ORDER BY opcname;

SELECT setseed(0.5);
-- Points on a grid and at tenths, which floats cannot hold, lines and polygons, with a stored box and without one, in and out of line, ...
CREATE TABLE shapes (id int, g geometry);
INSERT INTO shapes SELECT i, ST_MakePoint((i * 7919) % 61 / 10.0, (i * 104729) % 53) FROM generate_series(1, 2000) i;
INSERT INTO shapes SELECT 2000 + i, ST_MakeLine(ST_MakePoint(i % 50, i % 41), ST_MakePoint(i % 50 - i % 3 * 0.1, i % 41 + i % 5))
FROM generate_series(1, 300) i;
INSERT INTO shapes SELECT 3000 + i, ST_Buffer(ST_MakePoint(random() * 60, random() * 50), random() * 3, 2) FROM generate_series(1, 300) i;
INSERT INTO shapes SELECT 4000 + i, ST_Buffer(ST_MakePoint(i, i * 10), i, 100) FROM generate_series(1, 4) i;
INSERT INTO shapes SELECT 4100 + i, g::geometry FROM unnest(ARRAY['MULTIPOINT(3 4)', 'MULTIPOINT(1 2, 3 4)', 'MULTILINESTRING((1 1, 2 2))',
  'MULTILINESTRING((0 0, 1 5), (9 9, 0 1))', 'GEOMETRYCOLLECTION(POINT(1 1), LINESTRING(0 0, 3 3))', 'LINESTRING(-0 0, 0 -0)',
  'MULTIPOLYGON(((0 0, 4 0, 4 4, 0 0)), ((10 10, 12 10, 12 12, 10 10)))', 'POLYGON((0 0, 10 10, 0 10, 10 0, 0 0))', 'POINT(1 2 3)',
  'POINT(1 2 3 4)', 'POINT M (1 2 4)', 'LINESTRING(1 1, 1 1)']) WITH ORDINALITY AS t(g, i);
-- ... empty ones, curves, and NULLs.
INSERT INTO shapes SELECT 4200 + i, g::geometry FROM unnest(ARRAY['POINT EMPTY', 'LINESTRING EMPTY', 'POLYGON EMPTY', 'MULTIPOINT EMPTY',
  'GEOMETRYCOLLECTION EMPTY', 'POINT Z EMPTY', 'MULTIPOINT(EMPTY)']) WITH ORDINALITY AS t(g, i);
INSERT INTO shapes SELECT 4300 + i, g::geometry FROM unnest(ARRAY['CIRCULARSTRING(0 0, 5 5, 10 0)', 'COMPOUNDCURVE((0 0, 1 1), CIRCULARSTRING(1 1, 2 2, 3 1))',
  'CURVEPOLYGON(CIRCULARSTRING(0 0, 4 0, 4 4, 0 4, 0 0))', 'MULTICURVE((0 0, 5 5), CIRCULARSTRING(4 0, 4 4, 8 4))']) WITH ORDINALITY AS t(g, i);
INSERT INTO shapes SELECT 4400 + i, NULL FROM generate_series(1, 5) i;

CREATE INDEX shapes_g ON shapes USING xtree (g);
SELECT xtree_check('shapes_g', true);
CREATE TABLE queries (q geometry);
INSERT INTO queries SELECT g FROM shapes WHERE id IN (3, 170, 901, 2007, 2100, 3010, 3020, 4002) OR id > 4100;
INSERT INTO queries VALUES ('POLYGON((2 2, 5 2, 5 20, 2 20, 2 2))'), ('POINT(0.1 1)'), ('POINT(-0 -0)'), ('LINESTRING(-9 -9, 99 99)');

SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM shapes WHERE g && ST_MakeEnvelope(1, 1, 2, 2);
EXPLAIN (COSTS OFF) SELECT id FROM shapes ORDER BY g <-> 'POINT(3 3)' LIMIT 3;
RESET enable_seqscan;
-- (How many it is depends on PostGIS's version: to 3.5, empty ones contain everything and lie within everything.)
SELECT op, sum(rows) > 0 AS found, bool_and(same) AS same, string_agg(DISTINCT nodes, ' ') AS nodes
FROM unnest(ARRAY['&&', '~', '@', '~=', '<<', '>>', '&<', '&>', '<<|', '|>>', '&<|', '|&>']) op, queries,
  agree(format('SELECT id FROM shapes WHERE g %s %L::geometry', op, q))
WHERE q IS NOT NULL GROUP BY op ORDER BY op COLLATE "C";
SELECT op, sum(rows) AS rows, bool_and(same) AS same, string_agg(DISTINCT nodes, ' ') AS nodes
FROM unnest(ARRAY['<->', '<#>']) op, queries, agree(format('SELECT g %s %L::geometry FROM shapes ORDER BY g %1$s %2$L::geometry', op, q))
WHERE q IS NOT NULL GROUP BY op ORDER BY op COLLATE "C";
SELECT (agree($$SELECT g <-> 'POINT(3 3)' FROM shapes WHERE g && 'POLYGON((2 2, 9 2, 9 20, 2 20, 2 2))' ORDER BY g <-> 'POINT(3 3)' LIMIT 100$$)).*;

-- Functions whose calls become index conditions, either way round. (Not ST_DFullyWithin, to which PostGIS 3.5 gives the wrong one: GiST's answers are wrong too.)
SELECT f, sum(rows) > 0 AS found, bool_and(same) AS same, string_agg(DISTINCT nodes, ' ') AS nodes
FROM unnest(ARRAY['ST_Intersects(g, %1$L)', 'ST_Intersects(%1$L, g)', 'ST_DWithin(g, %1$L, 1.5)', 'ST_DWithin(%1$L, g, 0.1)', 'ST_Contains(g, %1$L)',
    'ST_Contains(%1$L, g)', 'ST_Within(g, %1$L)', 'ST_Within(%1$L, g)', 'ST_Touches(g, %1$L)', 'ST_ContainsProperly(%1$L, g)', 'ST_CoveredBy(g, %1$L)',
    'ST_Covers(%1$L, g)', 'ST_Overlaps(g, %1$L)', 'ST_Crosses(g, %1$L)', 'ST_Equals(g, %1$L)', 'ST_OrderingEquals(g, %1$L)']) f, queries,
  agree(format('SELECT id FROM shapes WHERE id < 4300 AND id <> 4105 AND ' || replace(f, '%1$L', '%1$L::geometry'), q))
WHERE ST_GeometryType(q) !~ 'Curve|Circular|Collection' AND (ST_IsValid(q) OR f ~ 'DWithin')
GROUP BY f ORDER BY f COLLATE "C";
SET enable_seqscan = off;
SET xtree.enable_tree_join = off; SET xtree.enable_lookup_join = off;
SELECT explain_plan($$SELECT a.id, b.id FROM shapes a JOIN shapes b ON ST_DWithin(a.g, b.g, 0.5) WHERE a.id = 7$$);
RESET xtree.enable_tree_join;
RESET enable_seqscan;

-- Coordinates that are no numbers, infinite, huge and tiny.
CREATE TABLE special (c float8);
INSERT INTO special VALUES ('NaN'), ('Infinity'), ('-Infinity'), ('-0'), (0), ('5e-324'), (1e-40), (1), (-1), (1.1), (3.5e38), (-1e300);
CREATE TABLE strange (id int GENERATED ALWAYS AS IDENTITY, g geometry);
INSERT INTO strange (g) SELECT ST_MakePoint(a.c, b.c) FROM special a, special b ORDER BY a.c, b.c, a.c::text, b.c::text;
INSERT INTO strange (g) SELECT ST_MakeLine(ST_MakePoint(a.c, 2), ST_MakePoint(b.c, 1)) FROM special a, special b ORDER BY a.c, b.c, a.c::text, b.c::text;
INSERT INTO strange (g) SELECT ST_MakeLine(ARRAY[ST_MakePoint(1, a.c), ST_MakePoint(2, b.c), ST_MakePoint(3, 3)])
FROM special a, special b ORDER BY a.c, b.c, a.c::text, b.c::text;
-- Their boxes do not hold them: PostGIS forgets the points before a NaN.
INSERT INTO strange (g) SELECT ST_MakeLine(ARRAY[ST_MakePoint(i, 50), ST_MakePoint(i, 'NaN'), ST_MakePoint(i, 900), ST_MakePoint(i, 901)]) FROM generate_series(1, 30) i;
INSERT INTO strange (g) VALUES ('POINT EMPTY'), (NULL);
INSERT INTO strange (g) SELECT ST_MakePoint(i % 20, i / 20) FROM generate_series(1, 400) i;
CREATE INDEX strange_g ON strange USING xtree (g);
SELECT op, sum(rows) > 0 AS found, bool_and(same) AS same, string_agg(DISTINCT nodes, ' ') AS nodes
FROM unnest(ARRAY['&&', '~', '@', '~=', '<<', '>>', '&<', '&>', '<<|', '|>>', '&<|', '|&>']) op, strange q,
  agree(format('SELECT id FROM strange WHERE g %s (SELECT g FROM strange WHERE id = %s)', op, q.id))
WHERE q.id % 17 = 0 GROUP BY op ORDER BY op COLLATE "C";
SELECT op, sum(rows) AS rows, bool_and(same) AS same, string_agg(DISTINCT nodes, ' ') AS nodes
FROM unnest(ARRAY['<->', '<#>']) op, strange q,
  agree(format('SELECT g %s (SELECT g FROM strange WHERE id = %s) FROM strange ORDER BY g %1$s (SELECT g FROM strange WHERE id = %2$s)', op, q.id))
WHERE q.id % 17 = 0 GROUP BY op ORDER BY op COLLATE "C";
SELECT op, sum(rows) AS rows, bool_and(same) AS same, string_agg(DISTINCT nodes, ' ') AS nodes
FROM unnest(ARRAY['<->', '<#>']) op, unnest(ARRAY['POINT(3 55)', 'LINESTRING(0 40, 9 NaN, 9 800, 9 810)']) q,
  agree(format('SELECT g %s %L::geometry FROM strange WHERE id > 100 ORDER BY g %1$s %2$L::geometry LIMIT 25', op, q))
GROUP BY op ORDER BY op COLLATE "C";
-- Products with numbers next to zero vanish, so PostGIS measures less from such lines than from their boxes.
CREATE TABLE tiny (g geometry);
INSERT INTO tiny SELECT ST_MakeLine(ST_MakePoint(power(10, -(i * 7 % 300 + 20)), power(10, -(i * 11 % 60 + 10))), ST_MakePoint(0, -power(10, -(i * 13 % 320))))
FROM generate_series(1, 600) i;
INSERT INTO tiny SELECT ST_MakePoint(i % 7 * power(10, -(i % 290)), power(10, -(i % 45))) FROM generate_series(1, 600) i;
CREATE INDEX tiny_g ON tiny USING xtree (g);
CREATE INDEX tiny_nd ON tiny USING xtree (g geometry_ops_nd);
SELECT op, sum(rows) AS rows, bool_and(same) AS same, string_agg(DISTINCT nodes, ' ') AS nodes
FROM unnest(ARRAY['<->', '<#>', '<<->>']) op, unnest(ARRAY['LINESTRING(1e-180 -1e-82, -1e-173 -1e-75, 0 0)', 'LINESTRING(1e-25 0, 0 1e-300)', 'POINT(0 1e-40)']) q,
  agree(format('SELECT g %s %L::geometry FROM tiny ORDER BY g %1$s %2$L::geometry', op, q))
GROUP BY op ORDER BY op COLLATE "C";
SELECT xtree_check('tiny_g', true), xtree_check('tiny_nd', true);
-- A line in space shorter than its tolerance is near everything.
TRUNCATE tiny;
INSERT INTO tiny SELECT ST_MakeLine(ST_MakePoint(i, i, i), ST_MakePoint(i, i, i + CASE i % 5 WHEN 0 THEN 0 WHEN 1 THEN 1e-14 WHEN 2 THEN 1e-12 WHEN 3 THEN 1e-6 ELSE 3 END))
FROM generate_series(1, 300) i;
INSERT INTO tiny VALUES ('MULTILINESTRING((5 0 0, 5 0 1e-14), (9 9 0, 9 9 1e-14))'), ('POLYGON((7 0 0, 7 1e-14 0, 7 0 1e-14, 7 0 0))'), ('MULTIPOINT(5 5 5, 5 5 5.00000000000001)');
SELECT sum(rows) AS rows, bool_and(same) AS same, string_agg(DISTINCT nodes, ' ') AS nodes
FROM unnest(ARRAY['LINESTRING(200 200 0, 250 210 9)', 'POINT(30 30 30)', 'LINESTRING(77 77 77, 77 77 77.00000000000002)']) q,
  agree(format('SELECT g <<->> %L::geometry FROM tiny ORDER BY g <<->> %1$L::geometry', q));
SELECT xtree_check('tiny_g', true), xtree_check('tiny_nd', true);

-- More dimensions.
CREATE TABLE solids (id int, g geometry);
INSERT INTO solids SELECT i, CASE i % 4 WHEN 0 THEN ST_MakePoint(i % 20, i % 23) WHEN 1 THEN ST_MakePoint(i % 20, i % 23, i % 7) WHEN 2 THEN
  ST_MakePointM(i % 20, i % 23, i % 5) ELSE ST_MakePoint(i % 20, i % 23, i % 7, i % 5) END FROM generate_series(1, 2000) i;
INSERT INTO solids SELECT 2000 + i, ST_MakeLine(ST_MakePoint(i % 20, i % 23, i % 7, i % 5), ST_MakePoint(i % 20 + i % 3, i % 23, i % 11, 9))
FROM generate_series(1, 300) i;
INSERT INTO solids SELECT 3000 + i, ST_Force3D(ST_Buffer(ST_MakePoint(random() * 20, random() * 20), random() * 3, 2), i % 9) FROM generate_series(1, 100) i;
INSERT INTO solids SELECT 4000 + i, g FROM (SELECT i, ST_MakePoint(a.c, 1, b.c) AS g FROM special a, special b,
  LATERAL (SELECT row_number() OVER () AS i) r) s;
INSERT INTO solids VALUES (5000, 'POINT EMPTY'), (5001, 'POINT Z EMPTY'), (5002, NULL);
CREATE INDEX solids_g ON solids USING xtree (g geometry_ops_nd);
SELECT xtree_check('solids_g', true);
SELECT op, sum(rows) AS rows, bool_and(same) AS same, string_agg(DISTINCT nodes, ' ') AS nodes
FROM unnest(ARRAY['&&&', '~~', '@@', '~~=']) op, solids q,
  agree(format('SELECT id FROM solids WHERE g %s (SELECT g FROM solids WHERE id = %s LIMIT 1)', op, q.id))
WHERE q.id % 97 = 0 OR q.id > 5000 GROUP BY op ORDER BY op COLLATE "C";
SELECT sum(rows) AS rows, bool_and(same) AS same, string_agg(DISTINCT nodes, ' ') AS nodes
FROM unnest(ARRAY['POINT(3 3)', 'POINT(3 3 3)', 'POINT M (3 3 3)', 'POINT(3 3 3 3)', 'LINESTRING(0 0 0 0, 5 5 5 5)', 'POLYGON((9 9 1, 9 3 2, 3 9 3, 9 9 1))']) q,
  agree(format('SELECT g <<->> %L::geometry FROM solids WHERE id < 4000 ORDER BY g <<->> %1$L::geometry', q));
SELECT f, sum(rows) AS rows, bool_and(same) AS same, string_agg(DISTINCT nodes, ' ') AS nodes
FROM unnest(ARRAY['ST_3DIntersects(g, %1$L)', 'ST_3DDWithin(g, %1$L, 1.5)', 'ST_3DDFullyWithin(%1$L, g, 3)', 'ST_Intersects(g, %1$L)']) f,
  unnest(ARRAY['POINT(3 3)', 'POINT(3 3 3)', 'LINESTRING(0 0 0, 5 5 5)']) q,
  agree(format('SELECT id FROM solids WHERE id < 3000 AND ' || replace(f, '%1$L', '%1$L::geometry'), q))
GROUP BY f ORDER BY f COLLATE "C";
-- Trajectories.
CREATE TABLE tracks (id int, g geometry);
INSERT INTO tracks SELECT i, ST_AddMeasure(ST_MakeLine(ST_MakePoint(i % 20, i % 23), ST_MakePoint(i % 20 + 2, i % 23 - i % 3)), i % 5, i % 5 + 4)
FROM generate_series(1, 500) i;
CREATE INDEX ON tracks USING xtree (g geometry_ops_nd);
SELECT (agree($$SELECT g |=| 'LINESTRING M (0 0 0, 9 9 9)' FROM tracks ORDER BY g |=| 'LINESTRING M (0 0 0, 9 9 9)'$$)).*;

-- The earth: points, arcs, areas, poles, the antimeridian, and nothing.
CREATE TABLE places (id int, g geography);
INSERT INTO places SELECT i, ST_MakePoint(random() * 360 - 180, degrees(asin(random() * 2 - 1)))::geography FROM generate_series(1, 2000) i;
INSERT INTO places SELECT 2000 + i, ST_MakeLine(ST_MakePoint(random() * 360 - 180, random() * 180 - 90), ST_MakePoint(random() * 360 - 180, random() * 180 - 90))::geography
FROM generate_series(1, 100) i;
INSERT INTO places SELECT 3000 + i, ST_Buffer(ST_MakePoint(i * 3 - 150, i - 50)::geography, i * 1000, 4) FROM generate_series(1, 100) i;
INSERT INTO places SELECT 4000 + i, g::geography FROM unnest(ARRAY['POINT(0 90)', 'POINT(77 -90)', 'POINT(180 0)', 'POINT(-180 0)', 'POINT EMPTY', 'POLYGON EMPTY',
  NULL, 'MULTIPOINT(1 1)', 'MULTIPOINT(1 1, 9 9)', 'LINESTRING(179 5, -179 5)', 'LINESTRING(1 60, 179 60)', 'LINESTRING(5 5, 5 5)',
  'POLYGON((170 10, -170 10, -170 20, 170 20, 170 10))', 'POINT(1e-9 -1e-9)']) WITH ORDINALITY AS t(g, i);
CREATE INDEX places_g ON places USING xtree (g);
SELECT xtree_check('places_g', true);
SELECT sum(rows) AS rows, bool_and(same) AS same, string_agg(DISTINCT nodes, ' ') AS nodes
FROM places q, agree(format('SELECT id FROM places WHERE g && (SELECT g FROM places WHERE id = %s)', q.id)) WHERE q.id % 97 = 0 OR q.id > 4000;
SELECT sum(rows) AS rows, bool_and(same) AS same, string_agg(DISTINCT nodes, ' ') AS nodes
FROM places q, agree(format('SELECT g <-> (SELECT g FROM places WHERE id = %s) FROM places ORDER BY g <-> (SELECT g FROM places WHERE id = %1$s) LIMIT 300', q.id))
WHERE q.id % 311 = 0 OR q.id > 4000;
SELECT f, sum(rows) AS rows, bool_and(same) AS same, string_agg(DISTINCT nodes, ' ') AS nodes
FROM unnest(ARRAY['ST_Intersects(g, %1$L)', 'ST_DWithin(g, %1$L, 500000)', 'ST_DWithin(%1$L, g, 2e6, false)', 'ST_Covers(g, %1$L)', 'ST_CoveredBy(g, %1$L)']) f,
  unnest(ARRAY['POINT(5 5)', 'POINT(0 90)', 'LINESTRING(0 0, 90 40)', 'POLYGON((-150 -50, -120 -50, -120 -30, -150 -50))']) q,
  agree(format('SELECT id FROM places WHERE id < 4005 AND ' || replace(f, '%1$L', '%1$L::geography'), q))
GROUP BY f ORDER BY f COLLATE "C";

-- An index that grew by insertion, beside another column; a constraint; another family for the planner only where that exists.
CREATE TABLE parcels (owner int, g geometry, EXCLUDE USING xtree (owner WITH =, g WITH &&));
INSERT INTO parcels VALUES (1, 'POLYGON((0 0, 1 0, 1 1, 0 0))'), (1, 'POINT(3 3)'), (2, 'POINT(0 0)'), (1, 'POINT EMPTY'), (1, 'POINT EMPTY');
INSERT INTO parcels VALUES (1, 'POINT(0.1 0.9)');
CREATE TABLE grown (id int, g geometry);
CREATE INDEX grown_g ON grown USING xtree (id, g);
INSERT INTO grown SELECT id, g FROM shapes;
SELECT (agree($$SELECT id FROM grown WHERE ST_DWithin(g, 'POINT(3 20)', 2) AND id BETWEEN 100 AND 3000$$)).*;
SELECT (agree($$SELECT g <-> 'POINT(3 20)' FROM grown WHERE id < 3500 ORDER BY g <-> 'POINT(3 20)'$$)).*;
ALTER OPERATOR FAMILY geometry_ops_2d USING xtree DROP OPERATOR 14 (geometry, geometry);
SELECT (agree($$SELECT id FROM grown WHERE g && 'POINT(3 20)'$$)).*;
SELECT (agree($$SELECT id FROM grown WHERE ST_Intersects(g, 'POINT(3 20)')$$)).*;
SELECT xtree_check(i::regclass, true) FROM unnest(ARRAY['grown_g', 'shapes_g', 'strange_g', 'parcels_owner_g_excl', 'tracks_g_idx']) i;

DROP TABLE shapes, queries, special, strange, tiny, solids, tracks, places, parcels, grown;
DROP EXTENSION postgis CASCADE;
