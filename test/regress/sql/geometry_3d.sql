-- The operators of PostGIS's class for boxes in space, spgist_geometry_ops_3d: &/& @>> <<@ ~==.
-- Seen to catch: keys from the stored boxes of floats (same = f for ~== and at edges), z that counts where there is none, inner rings that are
-- measured, values with a NaN or arcs that pass without recheck.
SET client_min_messages = warning;
CREATE EXTENSION xtree_postgis CASCADE;
-- every operator of the peer's classes is here under the same strategy number
SELECT p.opfname, o.amopopr::regoperator, o.amopstrategy FROM pg_amop o JOIN pg_opfamily p ON p.oid = o.amopfamily
WHERE p.opfname IN ('spgist_geometry_ops_3d', 'gist_geometry_ops_nd', 'gist_geometry_ops_2d', 'gist_geography_ops') AND NOT EXISTS (
  SELECT FROM pg_amop x WHERE x.amopopr = o.amopopr AND x.amopstrategy = o.amopstrategy AND x.amopmethod = (SELECT oid FROM pg_am WHERE amname = 'xtree'));
SELECT opcname, amvalidate(oid) FROM pg_opclass WHERE opcname ~ 'geometry_ops_3d' AND opcmethod = (SELECT oid FROM pg_am WHERE amname = 'xtree') ORDER BY 1;

CREATE TABLE bodies (id int, g geometry);
INSERT INTO bodies SELECT i, CASE i % 4 WHEN 0 THEN ST_MakePoint(i % 20, i % 23) WHEN 1 THEN ST_MakePoint(i % 20 * 0.1, i % 23, i % 7)
  WHEN 2 THEN ST_MakePointM(i % 20, i % 23, i % 5) ELSE ST_MakePoint(i % 20, i % 23, i % 7 * 0.3, i % 5) END FROM generate_series(1, 1500) i;
INSERT INTO bodies SELECT 2000 + i, ST_MakeLine(ST_MakePoint(i % 20 * 0.1, i % 23, i % 7), ST_MakePoint(i % 20 + i % 3, i % 23 + 0.7, i % 11 * 0.1)) FROM generate_series(1, 300) i;
INSERT INTO bodies SELECT 3000 + i, ST_Force3D(ST_Buffer(ST_MakePoint(i % 20 * 1.1, i % 17), 1 + i % 3 * 0.1, 2), i % 9 * 0.1) FROM generate_series(1, 300) i;
INSERT INTO bodies SELECT 4000 + i, g::geometry FROM unnest(ARRAY['POLYGON((0 0, 4 0, 4 4, 0 0), (50 50, 51 50, 51 51, 50 50))', 'MULTIPOINT(1 2 3, 4 5 6)',
  'GEOMETRYCOLLECTION Z (POINT Z (1 1 1), LINESTRING Z (0 0 0, 3 3 3), POLYGON Z EMPTY)', 'TIN(((0 0 0, 0 0 1, 0 1 0, 0 0 0)), ((0 0 0, 0 1 0, 1 1 0, 0 0 0)))',
  'POLYHEDRALSURFACE(((0 0 0, 0 0 1, 0 1 1, 0 1 0, 0 0 0)))', 'TRIANGLE((0 0, 0 9, 9 0, 0 0))', 'CIRCULARSTRING(0 0, 5 5, 10 0)', 'CIRCULARSTRING Z (0 0 1, 5 5 2, 10 0 3)',
  'CURVEPOLYGON(CIRCULARSTRING(0 0, 4 0, 4 4, 0 4, 0 0))', 'COMPOUNDCURVE((0 0, 1 1), CIRCULARSTRING(1 1, 2 2, 3 1))', 'POINT(NaN 1 1)', 'LINESTRING(1 1 NaN, 2 2 2)',
  'LINESTRING(1 1 1, NaN 2 2, 3 3 3, 4 4 4)', 'POINT(1e308 -1e308 1e-320)', 'LINESTRING(-0 0 -0, 0 0 0)',
  'POINT(1 1 5e-7)', 'POINT(1 1 1.000001)', 'POINT(1.000001 1 1)', 'POINT(1.00000100000001 1 1)']) WITH ORDINALITY AS t(g, i);
INSERT INTO bodies SELECT 5000 + i, ST_MakeLine(ARRAY(SELECT ST_MakePoint(i + j * 0.01, j * 0.013, i) FROM generate_series(1, 600) j)) FROM generate_series(1, 10) i;
INSERT INTO bodies VALUES (6000, NULL), (4051, ST_MakePoint('Infinity', 1, 1)), (4052, ST_MakeLine(ST_MakePoint('-Infinity', 0, 3), ST_MakePoint('Infinity', 0, 3)));
CREATE INDEX bodies_g ON bodies USING xtree (g geometry_ops_3d);
SELECT xtree_check('bodies_g', true);
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM bodies WHERE g &/& 'LINESTRING(1 1 1, 2 2 2)';
RESET enable_seqscan;
SELECT op, sum(rows) AS rows, bool_and(same) AS same, string_agg(DISTINCT nodes, ' ') AS nodes
FROM unnest(ARRAY['&/&', '@>>', '<<@', '~==']) op, bodies q,
  agree(format('SELECT id FROM bodies WHERE g %s (SELECT g FROM bodies WHERE id = %s)', op, q.id))
WHERE q.id % 61 = 0 OR q.id BETWEEN 4000 AND 4100 OR q.id = 5003 GROUP BY op ORDER BY op COLLATE "C";

-- With an empty geometry the operators are an ERROR of PostGIS's, for whoever evaluates them; an index does not.
CREATE TABLE hollow (g geometry);
INSERT INTO hollow SELECT g FROM bodies WHERE id <= 300;
CREATE INDEX hollow_g ON hollow USING xtree (g spgist_geometry_ops_3d);
INSERT INTO hollow SELECT 'POINT Z EMPTY' FROM generate_series(1, 300);
SET enable_seqscan = off;
SELECT count(*) FROM hollow WHERE g &/& 'LINESTRING(1 1 0, 9 9 9)';
SELECT count(*) FROM hollow WHERE g @>> 'POINT EMPTY';
SELECT count(*) FROM hollow WHERE g <<@ ANY (ARRAY['POINT(1 1 0)', 'POINT EMPTY', 'LINESTRING(1 1 0, 9 9 9)']::geometry[]);
RESET enable_seqscan;
SELECT xtree_check('hollow_g', true), xtree_check('bodies_g', true);
DROP TABLE bodies, hollow;
DROP EXTENSION postgis CASCADE;
