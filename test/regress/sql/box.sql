-- box_ops: every operator and the ordering give through the index what they give without.

CREATE TABLE special (c float8);
INSERT INTO special VALUES ('NaN'), ('Infinity'), ('-Infinity'), ('-0'), (0), ('5e-324'), (1e-6), (-1e-6), (1.0000001e-6),
  (1), (-1), (1.000001), (8589934592), (1e17), (-1e150);

CREATE TABLE boxes (id int, b box);
-- Small boxes on a grid, with neighbours that meet, miss or overlap within the operators' tolerance of 1e-6, ...
INSERT INTO boxes SELECT g, box(point(x, y), point(x + g % 4 + (g % 3 - 1) * 5e-7, y + g % 3 + (g % 5 - 2) * 5e-7))
FROM generate_series(1, 2000) g, LATERAL (SELECT (g * 7919) % 61 AS x, (g * 104729) % 53 AS y) AS corner;
-- ... some large ones, ...
INSERT INTO boxes SELECT 2000 + g, box(point(-g, -g), point(g * 1e7, g)) FROM generate_series(1, 50) g;
-- ... then corners that are special, ...
INSERT INTO boxes SELECT 3000 + row_number() OVER (ORDER BY a.c, b.c, a.c::text, b.c::text), box(point(a.c, b.c),
  point(b.c, 1))
FROM special a, special b;
INSERT INTO boxes SELECT 4000 + row_number() OVER (ORDER BY a.c, b.c, a.c::text, b.c::text), box(point(a.c, 0), point(b.c,
  '-0'))
FROM special a, special b;
-- ... and NULLs.
INSERT INTO boxes SELECT 5000 + g, NULL FROM generate_series(1, 5) g;

CREATE INDEX boxes_built ON boxes USING xtree (b);
SELECT xtree_check('boxes_built', true);

SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM boxes WHERE b && '(10,10),(12,12)';
EXPLAIN (COSTS OFF) SELECT id FROM boxes ORDER BY b <-> '(10,10)'::point LIMIT 3;
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT b FROM boxes WHERE b &< '(3,3),(1,1)' AND b @> '(2,2),(2,2)';
RESET enable_seqscan;
RESET enable_bitmapscan;

CREATE TABLE queries (q box);
INSERT INTO queries SELECT b FROM boxes WHERE id IN (3, 170, 901, 2007) OR id BETWEEN 3001 AND 5000 AND id % 31 = 0;
INSERT INTO queries VALUES ('(20,20),(10,10)'), ('(0,0),(0,0)'), ('(1,1),(1,1)'),
  ('(Infinity,Infinity),(-Infinity,-Infinity)');
SELECT count(*) FROM queries;
SELECT op, sum(rows) AS rows, bool_and(same) AS same, string_agg(DISTINCT nodes, ' ') AS nodes
FROM unnest(ARRAY['&&', '@>', '<@', '~=', '<<', '>>', '&<', '&>', '<<|', '|>>', '&<|', '|&>']) op, queries,
  agree(format('SELECT id FROM boxes WHERE b %s %L', op, q))
GROUP BY op ORDER BY op COLLATE "C";

-- The same with queries that the index covers: keys come back as they went in, the signs of zeros included.
SELECT op, sum(rows) AS rows, bool_and(same) AS same, string_agg(DISTINCT nodes, ' ') AS nodes
FROM unnest(ARRAY['&&', '@>', '<@', '~=', '&>']) op, queries, agree(format('SELECT b FROM boxes WHERE b %s %L', op, q))
GROUP BY op ORDER BY op COLLATE "C";
SELECT count(DISTINCT b::text), (agree('SELECT b FROM boxes WHERE b ~= $$(0,0),(0,0)$$')).*
FROM boxes WHERE b ~= '(0,0),(0,0)';

-- Distances: from inside, outside, corners and special points.
SELECT q, (agree(format('SELECT b <-> %L::point FROM boxes ORDER BY b <-> %1$L::point', q))).*
FROM unnest('{"(10,10)", "(48.3,44.7)", "(-20,3)", "(0,-0)", "(5e-324,-7)", "(8589934592,1)", "(2e17,-1e-6)", "(NaN,1)",
  "(1,NaN)", "(Infinity,0)", "(-Infinity,-Infinity)"}'::point[]) q;
SELECT (agree($$SELECT b <-> point '(30,30)' FROM boxes
  WHERE b && '(35,35),(90,90)' ORDER BY b <-> point '(30,30)' LIMIT 100$$)).*;

-- Core's distance of a box longer than 1e9 from a point beyond its end leaves the way beyond the end out.
INSERT INTO boxes VALUES (6001, '(0,0),(1,-1e20)'), (6002, '(3,3),(3,3)');
SELECT id, round((b <-> point '(2,1000)')::numeric, 9) AS distance FROM boxes WHERE id > 6000 ORDER BY id;
SELECT (agree($$SELECT id FROM boxes WHERE id > 6000 ORDER BY b <-> point '(2,1000)'$$)).*;

-- An index that grew by insertion answers alike.
CREATE TABLE grown (LIKE boxes);
CREATE INDEX grown_b ON grown USING xtree (b);
INSERT INTO grown SELECT * FROM boxes;
SELECT op, sum(rows) AS rows, bool_and(same) AS same
FROM unnest(ARRAY['&&', '@>', '<@', '~=', '<<', '>>', '&<', '&>', '<<|', '|>>', '&<|', '|&>']) op, queries,
  agree(format('SELECT id FROM grown WHERE b %s %L', op, q))
GROUP BY op ORDER BY op COLLATE "C";
SELECT (agree($$SELECT b <-> '(31,27)'::point FROM grown ORDER BY b <-> '(31,27)'::point LIMIT 300$$)).*;

-- Bounds of nodes are shown as they are.
CREATE TEMP TABLE few (b box);
CREATE INDEX few_b ON few USING xtree (b);
INSERT INTO few VALUES ('(1,2),(0,0)'), ('(Infinity,-0),(5,0)'), (NULL);
SELECT lower, upper FROM xtree_nodes('few_b');
SELECT xtree_check('few_b', true);

-- Inverted boxes, which some of core's functions make, have no place in the tree.
\set SHOW_CONTEXT never
INSERT INTO grown VALUES (1, box '(1,1),(0,0)' # box '(3,3),(1.0000005,0)');
INSERT INTO grown SELECT 1, box(b[0], b[1]) FROM (SELECT box '(1,1),(0,0)' # box '(3,3),(1.0000005,0)') AS inverted (b);
INSERT INTO grown VALUES (1, box(circle '<(Infinity,0),Infinity>'));
SELECT xtree_check('grown_b', true);
SELECT xtree_check('boxes_built', true);

DROP TABLE boxes, grown, queries, special;
