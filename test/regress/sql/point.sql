-- point_ops: every operator and ordering gives through the index what it gives without.

CREATE TABLE points (id int, p point);
-- A grid with many neighbours within and just beyond the operators' tolerance of 1e-6, ...
INSERT INTO points SELECT g, point((g * 7919) % 97 + (g % 5 - 2) * 5e-7, (g * 104729) % 89 + (g % 7 - 3) * 5e-7)
FROM generate_series(1, 2000) g;
-- ... then every pair of coordinates that are special, ...
CREATE TABLE special (c float8);
INSERT INTO special VALUES ('NaN'), ('Infinity'), ('-Infinity'), ('-0'), (0), ('5e-324'), ('-5e-324'), (1e-300), (1e-6),
  (-1e-6), (1.0000001e-6), (9.9999999e-7), (2e-6), (1), (-1), (1.000001), (0.999999), (8589934592), (8589934593), (1e17),
  (-1e150), (1e150);
INSERT INTO points SELECT 3000 + row_number() OVER (ORDER BY a.c, b.c, a.c::text, b.c::text), point(a.c, b.c)
FROM special a, special b;
-- ... and NULLs.
INSERT INTO points SELECT 4000 + g, NULL FROM generate_series(1, 5) g;

CREATE INDEX points_built ON points USING xtree (p);
SELECT xtree_check('points_built', true);

EXPLAIN (COSTS OFF) SELECT id FROM points WHERE p <@ box '(10,10),(12,12)';
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM points ORDER BY p <-> point '(10,10)' LIMIT 3;
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT p FROM points WHERE p << point '(3,3)';
EXPLAIN (COSTS OFF) SELECT id FROM points WHERE p <@ polygon '((1,1),(5,1),(3,6))' AND p IS NOT NULL;
RESET enable_seqscan;
RESET enable_bitmapscan;

-- Query points: special ones, and some of the grid.
CREATE TABLE queries (q point);
INSERT INTO queries SELECT point(c, c) FROM special;
INSERT INTO queries VALUES ('(NaN,1)'), ('(1,NaN)'), ('(Infinity,NaN)'), ('(-Infinity,1)'), ('(1,-0)');
INSERT INTO queries SELECT p FROM points WHERE id IN (17, 900, 1345);
SELECT op, count(*) AS queries, sum(rows) AS rows, bool_and(same) AS same, string_agg(DISTINCT nodes, ' ') AS nodes
FROM unnest(ARRAY['<<', '>>', '<<|', '|>>', '<^', '>^', '~=']) op, queries,
  agree(format('SELECT id, p FROM points WHERE p %s %L', op, q))
GROUP BY op ORDER BY op COLLATE "C";

-- The same with queries that the index covers: keys come back as they went in.
SELECT op, sum(rows) AS rows, bool_and(same) AS same, string_agg(DISTINCT nodes, ' ') AS nodes
FROM unnest(ARRAY['<<', '>>', '<<|', '|>>', '<^', '>^', '~=']) op, queries,
  agree(format('SELECT p FROM points WHERE p %s %L', op, q))
GROUP BY op ORDER BY op COLLATE "C";

-- Boxes are compared without tolerance.
SELECT count(*) AS queries, sum(rows) AS rows, bool_and(same) AS same
FROM queries a, queries b, agree(format('SELECT id FROM points WHERE p <@ %L::box', box(a.q, b.q)))
WHERE a.q[0] <= b.q[0] AND a.q[1] <= b.q[1] AND (a.q[0] < 0 OR b.q[1] > 80);
SELECT id FROM points WHERE p <@ box '(17.000001,40),(17.0000004,80)' ORDER BY id;

-- Polygons, also such that core finds points with a NaN inside, and with corners that are no numbers.
SELECT polygon, (agree(format('SELECT id FROM points WHERE p <@ %L::polygon', polygon))).*
FROM unnest('{"((1,1),(50,1),(25,60))", "((0,0),(0,1e-6),(1e-6,0))", "((0,0))", "((5,5),(5,30))",
  "((10,10),(20,20),(10,20),(20,10))", "((-1,-1),(1e17,0),(3,1e150))", "((0,0),(NaN,4),(8,8))",
  "((0,0),(Infinity,4),(8,Infinity))", "((90,-5),(200,-5),(200,200),(90,200))"}'::text[]) polygon;

SELECT (agree($$SELECT id FROM points
  WHERE p <@ ANY ('{"((1,1),(9,1),(5,6))", NULL, "((90,80),(97,80),(93,88))", "((0,0),(NaN,4),(8,8))"}'::polygon[])$$)).*;
-- Where no point has a NaN, the index looks into the polygon's box only.
CREATE TABLE numbers AS SELECT id, p FROM points WHERE id <= 2000;
CREATE INDEX numbers_p ON numbers USING xtree (p);
SET enable_seqscan = off;
SET enable_bitmapscan = off;
SELECT explain_analyze($$SELECT id FROM numbers WHERE p <@ polygon '((10,10),(30,10),(20,30))'$$);
RESET enable_seqscan;
RESET enable_bitmapscan;
SELECT (agree($$SELECT id FROM numbers WHERE p <@ polygon '((10,10),(30,10),(20,30))'$$)).*;
SELECT (agree($$SELECT p <-> '(0,0)' FROM numbers WHERE p <@ ANY ('{"((1,1),(9,1),(5,6))", "((2,2),(9,9),(2,9))"}'::polygon[])
  ORDER BY p <-> '(0,0)'$$)).*;

-- Circles: the bounding box of the radius as rounded, infinite and missing radii.
SELECT circle, (agree(format('SELECT id FROM points WHERE p <@ %L::circle', circle))).*
FROM unnest('{"<(48,44),10>", "<(0,0),0>", "<(0,0),1e-6>", "<(1,1),5e-324>", "<(3,3),1e17>", "<(0,0),1e151>",
  "<(0,0),Infinity>",
  "<(NaN,0),Infinity>", "<(NaN,0),5>", "<(Infinity,1),5>", "<(0,0),NaN>", "<(8589934592,0),1>"}'::text[]) circle;

-- Distances, in order: near, from special points, and together with conditions.
SELECT q, (agree(format('SELECT p <-> %L FROM points ORDER BY p <-> %1$L', q))).*
FROM unnest('{"(10,10)", "(48.3,44.7)", "(0,-0)", "(1e150,-1e150)", "(8589934592,1)", "(NaN,1)", "(1,NaN)", "(Infinity,0)",
  "(Infinity,-Infinity)", "(NaN,Infinity)"}'::point[]) q;
SELECT (agree($$SELECT p <-> '(30,30)' FROM points WHERE p <@ box '(35,35),(90,90)' ORDER BY p <-> '(30,30)' LIMIT 200$$)).*;
SELECT (agree($$SELECT p <-> '(30,30)' FROM points WHERE p <@ circle '<(40,40),9>' ORDER BY p <-> '(30,30)'$$)).*;

-- A condition that cuts distances off ends the scan, as a circle or as a comparison: of the index nothing further away is returned, however many
-- rows are asked for.
SET enable_seqscan = off;
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM points WHERE p <@ circle '<(40,40),3>' ORDER BY p <-> '(40,40)' LIMIT 1000;
BEGIN;
SELECT pg_stat_get_xact_tuples_returned('points_built'::regclass) AS before \gset
SELECT count(*) FROM (SELECT id FROM points WHERE p <@ circle '<(40,40),3>' ORDER BY p <-> '(40,40)' LIMIT 1000) s;
SELECT pg_stat_get_xact_tuples_returned('points_built'::regclass) - :before < 200 AS ends_early;
COMMIT;
BEGIN;
SELECT pg_stat_get_xact_tuples_returned('points_built'::regclass) AS before \gset
SELECT count(*) FROM (SELECT id FROM points WHERE p <-> '(40,40)' <= 3 ORDER BY p <-> '(40,40)' LIMIT 1000) s;
SELECT pg_stat_get_xact_tuples_returned('points_built'::regclass) - :before < 200 AS ends_early;
COMMIT;
RESET enable_seqscan;
RESET enable_bitmapscan;

-- A distance beyond the range of float8 is an error, as it is without the index.
CREATE TABLE far (p point);
INSERT INTO far VALUES ('(1,1)'), ('(1.7e308,0)'), ('(-1.7e308,0)');
CREATE INDEX far_p ON far USING xtree (p);
SET enable_seqscan = off;
SELECT p FROM far ORDER BY p <-> '(1.7e308,0)';
RESET enable_seqscan;
SELECT xtree_check('far_p', true);
DROP TABLE far;

-- An index that grew by insertion answers alike.
CREATE TABLE grown (LIKE points);
CREATE INDEX grown_p ON grown USING xtree (p);
INSERT INTO grown SELECT * FROM points;
SELECT op, sum(rows) AS rows, bool_and(same) AS same
FROM unnest(ARRAY['<<', '>>', '<<|', '|>>', '<^', '>^', '~=']) op, queries,
  agree(format('SELECT id, p FROM grown WHERE p %s %L', op, q))
GROUP BY op ORDER BY op COLLATE "C";
SELECT (agree($$SELECT p <-> '(48,44)' FROM grown ORDER BY p <-> '(48,44)' LIMIT 500$$)).*;
SELECT xtree_check('grown_p', true);
SELECT xtree_check('points_built', true);

DROP TABLE points, numbers, grown, queries, special;
