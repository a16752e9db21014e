-- circle_ops: every operator and the ordering give through the index what they give without.

CREATE TABLE special (c float8);
INSERT INTO special VALUES ('NaN'), ('Infinity'), ('-Infinity'), ('-0'), (0), ('5e-324'), (1e-6), (-1e-6), (1.0000001e-6),
  (1), (-1), (1.000001), (8589934592), (1e17), (-1e150);

CREATE TABLE circles (id int, c circle);
-- Small circles on a grid, with neighbours that meet, miss or overlap within the operators' tolerance of 1e-6, ...
INSERT INTO circles SELECT g, circle(point((g * 7919) % 61 + (g % 3 - 1) * 5e-7, (g * 104729) % 53), g % 4 + (g % 5) * 5e-7)
FROM generate_series(1, 2000) g;
-- ... large ones whose edges are what rounding left, ...
INSERT INTO circles SELECT 2000 + g, circle(point(1e17 * (g % 3 - 1) + g, g), 1e17 + g * 16) FROM generate_series(1, 50) g;
-- ... every pair of special numbers as center or radius, negative radii too, ...
INSERT INTO circles SELECT 3000 + row_number() OVER (ORDER BY a.c, b.c, a.c::text, b.c::text), circle(point(a.c, 1), b.c)
FROM special a, special b;
INSERT INTO circles SELECT 4000 + row_number() OVER (ORDER BY a.c, b.c, a.c::text, b.c::text), circle(point(a.c, b.c), 1)
FROM special a, special b;
-- ... and NULLs.
INSERT INTO circles SELECT 5000 + g, NULL FROM generate_series(1, 5) g;

CREATE INDEX circles_built ON circles USING xtree (c);
SELECT xtree_check('circles_built', true);

SET enable_seqscan = off;
SET enable_indexscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM circles WHERE c && '<(10,10),2>';
RESET enable_indexscan;
EXPLAIN (COSTS OFF) SELECT id FROM circles ORDER BY c <-> point '(10,10)' LIMIT 3;
-- Of two terms, which the executor cannot order by recheck where the first is NULL: a sort.
SELECT explain_plan($$SELECT id FROM circles ORDER BY c <-> point '(10,10)', c <-> point '(1,1)' LIMIT 3$$);
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT c FROM circles WHERE c &< '<(3,3),1>' AND c @> '<(2,2),0>';
RESET enable_seqscan;
RESET enable_bitmapscan;

CREATE TABLE queries (q circle);
INSERT INTO queries SELECT c FROM circles WHERE id IN (3, 170, 901, 2007) OR id BETWEEN 3001 AND 5000 AND id % 17 = 0;
INSERT INTO queries VALUES ('<(20,20),10>'), ('<(0,0),0>'), ('<(-10,0),0>'), ('<(3,7),1e-6>'), ('<(0,0),Infinity>'),
  ('<(NaN,1),NaN>'), (circle(point(1, 1), -5e-7));
SELECT count(*) FROM queries;
SELECT op, sum(rows) AS rows, bool_and(same) AS same, string_agg(DISTINCT nodes, ' ') AS nodes
FROM unnest(ARRAY['&&', '@>', '<@', '~=', '<<', '>>', '&<', '&>', '<<|', '|>>', '&<|', '|&>']) op, queries,
  agree(format('SELECT id FROM circles WHERE c %s circle(%L::point, %L)', op, center(q), radius(q)))
GROUP BY op ORDER BY op COLLATE "C";
SELECT (agree($$SELECT id FROM circles WHERE c && ANY ('{"<(3,3),1>", NULL, "<(40,40),2>"}'::circle[])$$)).*;

-- Distances: from inside, outside and special points.
SELECT q, (agree(format('SELECT c <-> %L::point FROM circles ORDER BY c <-> %1$L::point', q))).*
FROM unnest('{"(10,10)", "(48.3,44.7)", "(-20,3)", "(0,-0)", "(5e-324,-7)", "(8589934592,1)", "(2e17,-1e-6)", "(NaN,1)",
  "(1,NaN)", "(Infinity,0)", "(-Infinity,-Infinity)"}'::point[]) q;
SELECT (agree($$SELECT c <-> point '(30,30)' FROM circles
  WHERE c && '<(40,40),9>' ORDER BY c <-> point '(30,30)' LIMIT 100$$)).*;

-- An index that grew by insertion answers alike.
CREATE TABLE grown (LIKE circles);
CREATE INDEX grown_c ON grown USING xtree (c);
INSERT INTO grown SELECT * FROM circles;
SELECT op, sum(rows) AS rows, bool_and(same) AS same
FROM unnest(ARRAY['&&', '@>', '<@', '~=', '<<', '>>', '&<', '&>', '<<|', '|>>', '&<|', '|&>']) op, queries,
  agree(format('SELECT id FROM grown WHERE c %s circle(%L::point, %L)', op, center(q), radius(q)))
GROUP BY op ORDER BY op COLLATE "C";
SELECT (agree($$SELECT c <-> '(31,27)'::point FROM grown ORDER BY c <-> '(31,27)'::point LIMIT 300$$)).*;
SELECT xtree_check('grown_c', true);
SELECT xtree_check('circles_built', true);

DROP TABLE circles, grown, queries, special;
