-- Joins of two trees of geometries: operators and functions of PostGIS find through both indexes what they find without.
-- Seen to fail: with the empty ones left out; with those of no known box left out; with PostGIS's own estimate of pairs.
SET xtree.enable_lookup_join = off;
SET client_min_messages = warning;
CREATE EXTENSION xtree_postgis CASCADE;
SELECT setseed(0.5);
CREATE TABLE join_shapes (id int, kind int, g geometry);
INSERT INTO join_shapes SELECT i, i % 5, ST_MakePoint((i * 7919) % 61 / 10.0, (i * 104729) % 53) FROM generate_series(1, 500) i;
INSERT INTO join_shapes SELECT 2000 + i, i % 5, ST_MakeLine(ST_MakePoint(i % 50, i % 41), ST_MakePoint(i % 50 - i % 3 * 0.1, i % 41 + 1 + i % 5)) FROM generate_series(1, 300) i;
INSERT INTO join_shapes SELECT 3000 + i, i % 5, ST_Buffer(ST_MakePoint(random() * 60, random() * 50), random() * 3, 2) FROM generate_series(1, 300) i;
INSERT INTO join_shapes SELECT 4100 + i, 1, g::geometry FROM unnest(ARRAY['MULTIPOINT(1 2, 3 4)', 'MULTIPOLYGON(((0 0, 4 0, 4 4, 0 0)), ((10 10, 12 10, 12 12, 10 10)))',
  'POINT(1 2 3)', 'LINESTRING(1 1, 2 1)', 'POINT EMPTY', 'POLYGON EMPTY', 'MULTIPOINT EMPTY', 'GEOMETRYCOLLECTION EMPTY', 'POINT Z EMPTY', 'MULTIPOINT(EMPTY)', NULL])
  WITH ORDINALITY AS t(g, i);
INSERT INTO join_shapes VALUES (4120, 2, ST_MakePoint('NaN', 3)), (4121, 2, ST_MakeLine(ST_MakePoint(0, 0), ST_MakePoint('Infinity', 1))), (4122, 2, ST_MakePoint('NaN', 'NaN'));
CREATE INDEX join_shapes_g ON join_shapes USING xtree (g, kind);
ANALYZE join_shapes;
-- (Whether empty ones are within others depends on PostGIS's version, and with it whether trees are joined by these operators.)
SELECT op, (j).rows > 0 AS found, (j).same, CASE WHEN op NOT IN ('~', '@') THEN (j).node END AS node FROM (SELECT op, joined(format('SELECT x.id, y.id FROM join_shapes x JOIN join_shapes y ON x.g %s y.g WHERE x.id > 1900', op)) AS j
  FROM unnest(ARRAY['&&', '~', '@', '~=']) op OFFSET 0) q;
SELECT f, (j).rows > 0 AS found, (j).same, CASE WHEN f !~ 'Contains|Within|Covers' THEN (j).node END AS node FROM (SELECT f, joined(format('SELECT x.id, y.id FROM join_shapes x JOIN join_shapes y ON %s WHERE x.id BETWEEN 1900 AND 4104 AND y.id < 4105', f)) AS j FROM unnest(ARRAY[
  'ST_Intersects(x.g, y.g)', 'ST_Contains(x.g, y.g)', 'ST_Within(x.g, y.g)', 'ST_Covers(x.g, y.g)', 'ST_Touches(x.g, y.g) AND x.kind = y.kind',
  'ST_Equals(x.g, y.g)', 'ST_DWithin(x.g, y.g, 0.5)']) f OFFSET 0) q;
SET enable_nestloop = off;
SELECT explain_plan('SELECT count(*) FROM join_shapes x JOIN join_shapes y ON ST_Intersects(x.g, y.g) WHERE y.kind = 3');
SELECT xtree_check('join_shapes_g', true);
RESET enable_nestloop;

-- In space, in up to four dimensions, on the globe. (Operators in space are an ERROR with an empty geometry.)
CREATE TABLE join_bodies AS SELECT id, CASE id % 4 WHEN 0 THEN g WHEN 1 THEN ST_Force3D(g, id % 3) WHEN 2 THEN ST_Force3DM(g, id % 5) ELSE ST_Force4D(g, id % 3, id % 5) END AS g
FROM join_shapes WHERE NOT ST_IsEmpty(g) OR g IS NULL;
INSERT INTO join_bodies SELECT 5000 + i, g::geometry FROM unnest(ARRAY['CIRCULARSTRING(0 0, 5 5, 10 0)', 'LINESTRING(1 1 NaN, 2 2 2)', 'POINT(1 1 1.0000001)', 'POINT(1 1 1)', 'POINT(1e300 1 1)', 'POINT(3 4 0)']) WITH ORDINALITY AS t(g, i);
CREATE INDEX join_bodies_3d ON join_bodies USING xtree (g geometry_ops_3d);
CREATE INDEX join_bodies_nd ON join_bodies USING xtree (g geometry_ops_nd);
ANALYZE join_bodies;
SELECT op, (j).rows > 0 AS found, (j).same, (j).node FROM (SELECT op, joined(format('SELECT x.id, y.id FROM join_bodies x JOIN join_bodies y ON x.g %s y.g WHERE x.id > 1900', op)) AS j
  FROM unnest(ARRAY['&/&', '@>>', '<<@', '~==', '&&&', '~~', '@@', '~~=']) op OFFSET 0) q;
INSERT INTO join_bodies SELECT 6000 + i, g::geometry FROM unnest(ARRAY['POINT EMPTY', 'POINT Z EMPTY', 'POLYGON EMPTY']) WITH ORDINALITY AS t(g, i);
SELECT op, (j).rows > 0 AS found, (j).same, (j).node FROM (SELECT op, joined(format('SELECT x.id, y.id FROM join_bodies x LEFT JOIN join_bodies y ON x.g %s y.g AND y.id %% 3 > 0', op)) AS j
  FROM unnest(ARRAY['&&&', '~~', '@@', '~~=']) op OFFSET 0) q;
CREATE TABLE join_places AS SELECT i AS id, CASE i % 3 WHEN 0 THEN ST_MakePoint(i * 7919 % 360 - 180, i * 104729 % 180 - 90) WHEN 1 THEN ST_MakeLine(ST_MakePoint(i % 170, i % 80), ST_MakePoint(i % 170 + i % 9, i % 80 + 1))
  ELSE ST_MakeEnvelope(i % 170, i % 80 - 40, i % 170 + 3, i % 80 - 38, 4326) END::geography AS g FROM generate_series(1, 900) i;
INSERT INTO join_places SELECT 1000 + i, g::geography FROM unnest(ARRAY['POINT EMPTY', 'POLYGON EMPTY', 'POINT(180 0)', 'POINT(-180 0)', 'POINT(0 90)', 'LINESTRING(170 10, -170 10)', 'LINESTRING(-10 90, 10 90)', NULL]) WITH ORDINALITY AS t(g, i);
CREATE INDEX join_places_g ON join_places USING xtree (g);
ANALYZE join_places;
SELECT (j).rows > 0 AS found, (j).same, (j).node FROM (SELECT joined(q) AS j FROM unnest(ARRAY['SELECT x.id, y.id FROM join_places x JOIN join_places y ON x.g && y.g', 'SELECT x.id FROM join_places x WHERE NOT EXISTS (SELECT FROM join_places y WHERE x.g && y.g AND x.id <> y.id)']) q OFFSET 0) q;
SELECT xtree_check(i, true) FROM unnest(ARRAY['join_bodies_3d', 'join_bodies_nd', 'join_places_g']::regclass[]) i;
-- How many pairs there are the planner knows from the trees. (PostGIS's own estimate of pairs of small shapes is some twenty times too high.)
CREATE TABLE join_discs AS SELECT i AS id, ST_Buffer(ST_MakePoint(random() * 1000, random() * 1000), 0.5 + random() * 2, 4) AS g FROM generate_series(1, 4000) i;
CREATE TABLE join_strokes AS SELECT i AS id, ST_MakeLine(ST_MakePoint(x, y), ST_MakePoint(x + random() * 2, y + random() * 2)) AS g
  FROM (SELECT i, random() * 1000 AS x, random() * 1000 AS y FROM generate_series(1, 20000) i) s;
CREATE INDEX join_discs_g ON join_discs USING xtree (g);
CREATE INDEX join_strokes_g ON join_strokes USING xtree (g);
ANALYZE join_discs, join_strokes;
CREATE FUNCTION expected_rows(query text) RETURNS float8 LANGUAGE plpgsql AS $$ DECLARE plan json; BEGIN EXECUTE 'EXPLAIN (FORMAT JSON) ' || query INTO plan; RETURN (plan -> 0 -> 'Plan' ->> 'Plan Rows')::float8; END $$;
SELECT f, expected_rows(format('SELECT FROM join_discs x JOIN join_strokes y ON %s', f)) BETWEEN 400 AND 4000 AS expected FROM unnest('{x.g && y.g,"ST_Intersects(x.g, y.g)","ST_Intersects(y.g, x.g)"}'::text[]) f;
SELECT count(*) BETWEEN 1000 AND 1600 AS there FROM join_discs x JOIN join_strokes y ON x.g && y.g;
SELECT explain_plan('SELECT count(*) FROM join_discs x JOIN join_strokes y ON ST_Intersects(x.g, y.g)');
DROP FUNCTION expected_rows;
DROP TABLE join_shapes, join_bodies, join_places, join_discs, join_strokes;
DROP EXTENSION postgis CASCADE;
RESET xtree.enable_lookup_join;
