-- Cut-offs by PostGIS's distances: `<->` on the globe is a condition of the index. `<->` and `<#>` in the plane, `<<->>` and `|=|` in space are
-- not, as PostGIS may say that arcs are nearer than their boxes; then the comparison is a filter, and answers are the scan's.
-- Seen to fail: with the planner's other family (of GiST) asked for the operator.
SET client_min_messages = warning;
CREATE EXTENSION xtree_postgis CASCADE;
RESET client_min_messages;
CREATE TABLE sites (id int, g geometry, h geometry, z geometry, e geography);
INSERT INTO sites
SELECT i, CASE i % 3 WHEN 0 THEN ST_MakePoint(x, y) WHEN 1 THEN ST_MakeLine(ST_MakePoint(x, y), ST_MakePoint(x + 1, y + i % 4))
    ELSE ST_Buffer(ST_MakePoint(x, y), 0.7, 2) END,
  ST_MakePoint(x, y), ST_MakePoint(x, y, i % 11), ST_SetSRID(ST_MakePoint(x - 30, y), 4326)::geography
FROM (SELECT i, i % 61 + 0.1 AS x, i * 7919 % 53 / 1.5 AS y FROM generate_series(1, 1200) i) s;
INSERT INTO sites (id, g, h, z) SELECT 3000 + i, g, g, g FROM (SELECT i, g::geometry AS g FROM unnest('{POINT EMPTY,POLYGON EMPTY,POINT(NaN 3),POINT(1e300 1),LINESTRING(0 0\, 1e200 5),
  POINT Z (20 20 3),POINT M (20 20 4),POINT ZM (20 20 3 4),LINESTRING(20 20\, 20 20)}'::text[]) WITH ORDINALITY t(g, i)) s;
INSERT INTO sites (id, e) VALUES (3100, 'POINT EMPTY'), (3101, 'POINT(180 0)'), (3102, 'POINT(-180 0)'), (3103, 'POINT(0 90)'), (3104, 'POINT(0 -90)'),
  (3105, 'LINESTRING(-30 10, 40 30)'), (3106, 'POLYGON((-10 -10, 10 -10, 10 10, -10 10, -10 -10))');
CREATE INDEX sites_g ON sites USING xtree (g);
CREATE INDEX sites_z ON sites USING xtree (z geometry_ops_nd);
-- The same column twice: the distance is of the second one's family.
CREATE INDEX sites_h ON sites USING xtree (h geometry_ops_nd, h);
CREATE INDEX sites_e ON sites USING xtree (e);
VACUUM ANALYZE sites;

EXPLAIN (COSTS OFF) SELECT id FROM sites WHERE g <-> 'POINT(20 20)' < 3 ORDER BY g <-> 'POINT(20 20)' LIMIT 3;
EXPLAIN (COSTS OFF) SELECT id FROM sites WHERE g <#> 'POINT(20 20)' < 3 AND ST_DWithin(g, 'POINT(10 10)', 20) ORDER BY g <-> 'POINT(20 20)' LIMIT 3;
EXPLAIN (COSTS OFF) SELECT count(*) FROM sites WHERE z <<->> 'POINT Z (20 20 3)' < 1;
SELECT explain_analyze($$SELECT id FROM sites WHERE h <-> 'POINT(20 20)' < 1 ORDER BY h <-> 'POINT(20 20)'$$);
EXPLAIN (COSTS OFF) SELECT id FROM sites WHERE e <-> 'POINT(-10 20)' < 50000 ORDER BY e <-> 'POINT(-10 20)' LIMIT 3;
SELECT explain_analyze($$SELECT id FROM sites WHERE g <-> 'POINT(-200 20)' < 10 ORDER BY g <-> 'POINT(-200 20)' LIMIT 10$$);
SELECT limits, rows > 4000 AS many, same, conditions FROM edges('sites', $$g <-> 'POINT(20 20)'$$);
SELECT (edges('sites', $$'LINESTRING(20 20, 24 26)' <-> g$$)).*;
SELECT (edges('sites', $$g <-> 'POINT(NaN 20)'$$)).*;
SELECT (edges('sites', $$g <-> 'POINT EMPTY'$$)).*;
SELECT (edges('sites', $$g <#> 'LINESTRING(20 20, 24 26)'$$)).*;
SELECT (edges('sites', $$h <-> 'POINT(20 20)'$$)).*;
SELECT (edges('sites', $$h <#> 'POINT EMPTY'$$)).*;
SELECT (edges('sites', $$z <<->> 'POINT Z (20 20 3)'$$)).*;
SELECT (edges('sites', $$e <-> 'POINT(-10 20)'$$)).*;
SELECT (edges('sites', $$e <-> 'POINT(179 0)'$$)).*;
-- Arcs: the boxes of some are further away than PostGIS says that they are.
CREATE TABLE arcs AS SELECT i AS id, ST_Translate('CIRCULARSTRING(0 0, 4 4, 8 0)'::geometry, i, i) AS g FROM generate_series(1, 300) i;
CREATE INDEX arcs_g ON arcs USING xtree (g);
SELECT r, (agree(format('SELECT id FROM arcs WHERE g <-> %L < %s', 'POINT(60 20)', r))).* FROM generate_series(1, 60, 7) r;
DROP TABLE arcs;
SELECT (agree($$SELECT id FROM sites WHERE g <#> 'POINT(20 20)' < 3 AND ST_DWithin(g, 'POINT(10 10)', 20)$$)).*;
SELECT count(*) FROM sites a JOIN sites b ON a.g <-> b.h < 0.5 WHERE a.id < 50;
EXPLAIN (COSTS OFF) SELECT count(*) FROM sites a JOIN sites b ON a.g <-> b.h < 0.5 WHERE a.id < 50;
SELECT (agree('SELECT a.id, b.id FROM sites a JOIN sites b ON a.g <-> b.h < 0.5 WHERE a.id < 50')).*;
SELECT count(xtree_check(indexrelid, true)) FROM pg_index WHERE indrelid = 'sites'::regclass;
DROP TABLE sites;
DROP EXTENSION postgis CASCADE;
