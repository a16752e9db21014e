-- poly_ops: every operator and the ordering give through the index what they give without.

-- (Core's operators raise errors for the least and greatest numbers.)
CREATE TABLE special (c float8);
INSERT INTO special VALUES ('NaN'), ('Infinity'), ('-Infinity'), ('-0'), (0), (1e-5), (1e-6), (-1e-6), (1.0000001e-6),
  (1), (-1), (1.000001), (8589934592), (1e17), (-1e50);

-- A triangle or, where a and b are equal, a line or point.
CREATE FUNCTION triangle(x float8, y float8, a float8, b float8) RETURNS polygon LANGUAGE sql IMMUTABLE AS
$$ SELECT format('((%s,%s),(%s,%s),(%s,%s))', x, y, x + a, y, x + b, y + a)::polygon $$;

CREATE TABLE polygons (id int, p polygon);
-- Small ones on a grid, with neighbours that meet, miss or overlap within the operators' tolerance of 1e-6, ...
INSERT INTO polygons SELECT g, triangle((g * 7919) % 61 + (g % 3 - 1) * 5e-7, (g * 104729) % 53, g % 4, g % 3)
FROM generate_series(1, 2000) g;
-- ... long and steep ones, ...
INSERT INTO polygons SELECT 2000 + g, triangle(-g, -g, g * 1e7, g * 1e-9) FROM generate_series(1, 50) g;
-- ... special corners, ...
INSERT INTO polygons SELECT 3000 + row_number() OVER (ORDER BY a.c, b.c, a.c::text, b.c::text),
  format('((%s,1),(2,%s),(3,3))', a.c, b.c)::polygon
FROM special a, special b;
INSERT INTO polygons SELECT 4000 + row_number() OVER (ORDER BY a.c, b.c, a.c::text, b.c::text),
  format('((%s,%s))', a.c, b.c)::polygon
FROM special a, special b;
-- ... one that is stored out of line, and NULLs.
INSERT INTO polygons SELECT 5000, ('(' || string_agg(point(20 + g % 7, g / 100.0)::text, ',') || ')')::polygon
FROM generate_series(1, 3000) g;
INSERT INTO polygons SELECT 5000 + g, NULL FROM generate_series(1, 5) g;

CREATE INDEX polygons_built ON polygons USING xtree (p);
SELECT xtree_check('polygons_built', true);

SET enable_seqscan = off;
SET enable_indexscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM polygons WHERE p && '((10,10),(12,12),(10,12))';
RESET enable_indexscan;
EXPLAIN (COSTS OFF) SELECT id FROM polygons ORDER BY p <-> point '(10,10)' LIMIT 3;
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT p FROM polygons WHERE p &< '((3,3))' AND p @> '((2,2))';
RESET enable_seqscan;
RESET enable_bitmapscan;

CREATE TABLE queries (q polygon);
INSERT INTO queries SELECT p FROM polygons WHERE id IN (3, 170, 901, 2007) OR id BETWEEN 3001 AND 4999 AND id % 23 = 0;
INSERT INTO queries VALUES ('((20,20),(10,20),(10,10),(20,10))'), ('((0,0))'), ('((1,1),(1,1))'), ('((7,9),(8,9),(9,11.0000005))'),
  ('((Infinity,Infinity),(-Infinity,-Infinity))');
SELECT count(*) FROM queries;
SELECT op, sum(rows) AS rows, bool_and(same) AS same, string_agg(DISTINCT nodes, ' ') AS nodes
FROM unnest(ARRAY['&&', '@>', '<@', '~=', '<<', '>>', '&<', '&>', '<<|', '|>>', '&<|', '|&>']) op, queries,
  agree(format('SELECT id FROM polygons WHERE p %s %L', op, q))
GROUP BY op ORDER BY op COLLATE "C";
SELECT (agree($$SELECT id FROM polygons WHERE p && ANY ('{"((3,3),(5,4),(3,6))", NULL, "((40,40))"}'::polygon[])$$)).*;

-- Distances: from inside, outside and special points.
SELECT q, (agree(format('SELECT p <-> %L::point FROM polygons ORDER BY p <-> %1$L::point', q))).*
FROM unnest('{"(10,10)", "(48.3,44.7)", "(-20,3)", "(0,-0)", "(1e-5,-7)", "(8589934592,1)", "(2e17,-1e-6)", "(NaN,1)",
  "(1,NaN)", "(Infinity,0)", "(-Infinity,-Infinity)"}'::point[]) q;
SELECT (agree($$SELECT p <-> point '(30,30)' FROM polygons
  WHERE p && '((35,35),(90,35),(50,90))' ORDER BY p <-> point '(30,30)' LIMIT 100$$)).*;

-- An index that grew by insertion answers alike.
CREATE TABLE grown (LIKE polygons);
CREATE INDEX grown_p ON grown USING xtree (p);
INSERT INTO grown SELECT * FROM polygons;
SELECT op, sum(rows) AS rows, bool_and(same) AS same
FROM unnest(ARRAY['&&', '@>', '<@', '~=', '<<', '>>', '&<', '&>', '<<|', '|>>', '&<|', '|&>']) op, queries,
  agree(format('SELECT id FROM grown WHERE p %s %L', op, q))
GROUP BY op ORDER BY op COLLATE "C";
SELECT (agree($$SELECT p <-> '(31,27)'::point FROM grown ORDER BY p <-> '(31,27)'::point LIMIT 300$$)).*;
SELECT xtree_check('grown_p', true);
SELECT xtree_check('polygons_built', true);

DROP TABLE polygons, grown, queries, special;
DROP FUNCTION triangle;
