-- What the planner expects, beside what there is: conditions of which the server's own estimators know nothing, by a look at the tree.
-- Seen to fail: without the hook (a thousandth of the rows is in any window); with paths that are not made again; with the rows of a partition that are
-- not its parent's; with selectivities that are multiplied where one index has both columns; with an outer table's values taken for the index's own; with the
-- server's product for the rows of two bitmaps; with heap pages at random.
SET xtree.estimate_rows = auto;
SET max_parallel_workers_per_gather = 0;

-- The rows that are expected of a query without aggregate, those that there are, and whether they are alike.
CREATE FUNCTION expected(query text) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
  plan json;
BEGIN
  EXECUTE 'EXPLAIN (FORMAT JSON) ' || query INTO plan;
  RETURN (plan -> 0 -> 'Plan' ->> 'Plan Rows')::float8;
END $$;
CREATE FUNCTION within(factor float8, query text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  truth float8;
  estimate float8 := greatest(expected(query), 1);
BEGIN
  EXECUTE format('SELECT greatest(count(*), 1) FROM (%s) q', query) INTO truth;
  IF estimate / truth NOT BETWEEN 1 / factor AND factor THEN RAISE NOTICE '% rows are expected, % are there: %', estimate, truth, query; END IF;
  RETURN estimate / truth BETWEEN 1 / factor AND factor;
END $$;

-- Points, most of them in one corner; a kind that goes with the place; few without a place.
CREATE TABLE crowd AS SELECT g AS id, CASE WHEN g % 50 > 0 THEN point(100 * (g * 0.6180339887 % 1) ^ 3, 100 * (g * 0.7548776662 % 1) ^ 3) END AS p,
  floor(10 * (g * 0.6180339887 % 1))::int AS kind FROM generate_series(1, 20000) g;
CREATE INDEX crowd_p ON crowd USING xtree (p);
VACUUM ANALYZE crowd;
SELECT side, within(1.3, format('SELECT FROM crowd WHERE p <@ box(point(0,0), point(%1$s,%1$s))', side)) FROM unnest('{0.001,0.1,1,5,20,60,100,200}'::float8[]) side;
SELECT r, within(1.5, format('SELECT FROM crowd WHERE p <-> point(20,20) < %s', r)) FROM unnest('{0.5,3,10,50}'::float8[]) r;
SELECT within(4, 'SELECT FROM crowd WHERE p <@ circle(point(10,10), 10)'), within(1.3, 'SELECT FROM crowd WHERE p << point(1,0)'),
  within(1.3, 'SELECT FROM crowd WHERE p <@ box(point(0,0), point(1,1)) OR p <@ box(point(20,20), point(60,60))'),
  within(1.3, 'SELECT FROM crowd WHERE NOT p <@ box(point(0,0), point(10,100))'),
  within(1.3, 'SELECT FROM crowd WHERE p ~= (SELECT p FROM crowd WHERE id = 77)');
-- off: a constant
SET xtree.estimate_rows = off;
SELECT expected('SELECT FROM crowd WHERE p <@ box(point(0,0), point(100,100))') = 20;
RESET xtree.estimate_rows;
-- Few pages are enough, and are all that is read.
SET xtree.estimate_pages = 2;
SELECT within(3, 'SELECT FROM crowd WHERE p <@ box(point(0,0), point(20,20))');
RESET xtree.estimate_pages;

-- Several columns of one index: the tree sees how they go together.
CREATE INDEX crowd_p_kind ON crowd USING xtree (p, kind);
SELECT kind, within(1.5, format('SELECT FROM crowd WHERE p <@ box(point(0,0), point(1,100)) AND kind = %s', kind)) FROM unnest('{0,1,2,7}'::int[]) kind;
SELECT within(1.5, 'SELECT FROM crowd WHERE p <@ box(point(0,0), point(30,30)) AND kind = ANY (''{1,3}'')'),
  within(1.5, 'SELECT FROM crowd WHERE p IS NULL AND kind < 5'), within(1.5, 'SELECT FROM crowd WHERE p <@ box(point(0,0), point(30,30)) AND kind < 4 AND id % 2 = 0 IS NOT NULL');
DROP INDEX crowd_p_kind;

-- A partial index has all that queries ask for whose conditions its predicate follows from.
CREATE INDEX crowd_some ON crowd USING xtree (p) WHERE kind = 2;
SELECT within(1.3, 'SELECT FROM crowd WHERE p <@ box(point(0,0), point(1,100)) AND kind = 2'), within(1.3, 'SELECT FROM crowd WHERE p <@ box(point(0,0), point(1,1)) AND kind = 2');
DROP INDEX crowd_some;

-- Costs: rows that two B-trees have in common are not taken for fewer than there are; a leaf's rows come in the order of the heap, so few of them need no
-- bitmap, but many do.
CREATE TABLE along AS SELECT g AS id, x, x + g % 7 AS y, repeat('x', 100) AS pad FROM (SELECT g, (1000 * (g * 0.6180339887 % 1))::float8 AS x FROM generate_series(1, 20000) g) s;
CREATE INDEX along_x ON along (x);
CREATE INDEX along_y ON along (y);
CREATE INDEX along_xyz ON along USING xtree (x, y, id);
VACUUM ANALYZE along;
EXPLAIN (COSTS OFF) SELECT pad FROM along WHERE x BETWEEN 300 AND 310 AND y BETWEEN 300 AND 310;
CREATE TABLE apart AS SELECT g AS id, point(100 * (g * 0.6180339887 % 1), 100 * (g * 0.7548776662 % 1)) AS p, repeat('x', 100) AS pad FROM generate_series(1, 20000) g;
CREATE INDEX apart_p ON apart USING xtree (p);
VACUUM ANALYZE apart;
EXPLAIN (COSTS OFF) SELECT pad FROM apart WHERE p <@ box '(10,10),(15,15)';
EXPLAIN (COSTS OFF) SELECT pad FROM apart WHERE p <@ box '(10,10),(40,50)';
SELECT xtree_check('along_xyz', true), xtree_check('apart_p', true);

-- Joins: the tree on one side, whatever is known of the other.
CREATE TABLE areas AS SELECT g AS id, box(point(x, y), point(x + 2 * (g * 0.4142135 % 1), y + 2)) AS b
  FROM (SELECT g, 100 * (g * 0.3247179572 % 1) ^ 2 AS x, 100 * (g * 0.5698402910 % 1) ^ 2 AS y FROM generate_series(1, 3000) g) s;
CREATE TABLE spots AS SELECT id, p FROM crowd WHERE id <= 200;
CREATE INDEX areas_b ON areas USING xtree (b);
VACUUM ANALYZE areas, spots;
SELECT within(2, 'SELECT FROM areas a, areas b WHERE a.b && b.b'), within(2, 'SELECT FROM crowd c, areas a WHERE c.p <@ a.b'),
  within(2, 'SELECT FROM crowd c JOIN areas a ON c.p <@ a.b WHERE a.id < 300'), within(4, 'SELECT FROM crowd c, spots s WHERE c.p <-> s.p < 1');
CREATE TABLE spans AS SELECT g AS id, int4range((g * 7919) % 1000000, (g * 7919) % 1000000 + 1 + g % 100) AS r FROM generate_series(1, 5000) g;
CREATE TABLE shifts AS SELECT id, int4range(lower(r) + 37, upper(r) + 40) AS r FROM spans WHERE id % 2 = 0;
CREATE INDEX spans_r ON spans USING xtree (r);
VACUUM ANALYZE spans, shifts;
SELECT within(2, 'SELECT FROM spans a, shifts b WHERE a.r && b.r'), within(2, 'SELECT FROM spans a, spans b WHERE a.r && b.r');
-- how many have a match, and how many have none
SELECT within(2, 'SELECT FROM areas a WHERE EXISTS (SELECT FROM crowd c WHERE c.p <@ a.b)'), within(4, 'SELECT FROM areas a WHERE NOT EXISTS (SELECT FROM crowd c WHERE c.p <@ a.b)');
-- the inner side of a nested loop, for one row of the outer
SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_material = off;
SET xtree.enable_lookup_join = off;
CREATE FUNCTION expected_inside(query text) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
  plan json;
BEGIN
  EXECUTE 'EXPLAIN (FORMAT JSON) ' || query INTO plan;
  RETURN (plan -> 0 -> 'Plan' -> 'Plans' -> 1 ->> 'Plan Rows')::float8;
END $$;
SELECT expected_inside('SELECT FROM areas a, crowd c WHERE c.p <@ a.b AND a.id <= 20') BETWEEN 1 AND 60 AS rows_for_one;
RESET enable_hashjoin; RESET enable_mergejoin; RESET enable_material;

-- Partitions: of each by its own tree, of all together their sum.
CREATE TABLE parted (id int, p point) PARTITION BY RANGE (id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10000);
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (10000) TO (30000);
CREATE INDEX parted_p ON parted USING xtree (p);
INSERT INTO parted SELECT id, p FROM crowd;
VACUUM ANALYZE parted;
SELECT within(1.3, 'SELECT FROM parted WHERE p <@ box(point(0,0), point(5,5))'), within(1.3, 'SELECT FROM parted WHERE p <@ box(point(0,0), point(5,5)) AND id < 5000'),
  within(1.5, 'SELECT FROM (SELECT p FROM parted UNION ALL SELECT p FROM crowd) u WHERE p <@ box(point(0,0), point(5,5))');

-- Joins with them, on either side, in two levels, beside a partition without an index, and of those that find something.
CREATE TABLE lots (id int, b box) PARTITION BY RANGE (id);
CREATE TABLE lots_1 PARTITION OF lots FOR VALUES FROM (0) TO (1000);
CREATE TABLE lots_2 PARTITION OF lots FOR VALUES FROM (1000) TO (5000) PARTITION BY RANGE (id);
CREATE TABLE lots_2a PARTITION OF lots_2 FOR VALUES FROM (1000) TO (2500);
CREATE TABLE lots_2b PARTITION OF lots_2 FOR VALUES FROM (2500) TO (5000);
INSERT INTO lots SELECT id, b FROM areas;
CREATE INDEX ON lots_1 USING xtree (b);
CREATE INDEX ON lots_2a USING xtree (b);
VACUUM ANALYZE lots;
SELECT within(2, 'SELECT FROM parted c, areas a WHERE c.p <@ a.b'), within(2, 'SELECT FROM lots a, areas b WHERE a.b && b.b'),
  within(2, 'SELECT FROM lots a, lots b WHERE a.b && b.b'), within(2, 'SELECT FROM parted c, spots s WHERE c.p ~= s.p'),
  within(2, 'SELECT FROM lots a, crowd c WHERE a.b @> box(c.p, c.p)'), within(2, 'SELECT FROM crowd c WHERE EXISTS (SELECT FROM lots a WHERE a.b @> box(c.p, c.p))');
CREATE TABLE plots AS SELECT id, b FROM areas WHERE id % 10 = 0;
SELECT within(5, 'SELECT FROM lots a, plots b WHERE a.b && b.b');  -- of whose values nothing is known
-- What is joined may be no table: a list, an array, a subquery, a CTE, all of them together.
SELECT within(1.5, $$SELECT FROM (VALUES (box '(10,10),(0,0)'), ('(30,30),(20,20)'), ('(1,1),(0,0)'), (NULL)) v(b) JOIN crowd c ON c.p <@ v.b$$),
  within(1.5, $$SELECT FROM (VALUES (point '(0,0)', 10), ('(20,20)', 20)) v(p, size) JOIN crowd c ON c.p <@ box(v.p, point '(50,50)')$$),
  within(1.5, $$SELECT FROM unnest(ARRAY[box '(10,10),(0,0)', '(30,30),(20,20)']) v JOIN crowd c ON c.p <@ v$$),
  within(1.5, $$SELECT FROM unnest('{(10,10),(0,0);(30,30),(20,20)}'::box[]) v(b) JOIN crowd c ON c.p <@ v.b$$),
  within(3, 'SELECT FROM (SELECT box(b[1], b[1] + point(0.3,0.3)) AS b FROM areas OFFSET 0) a JOIN crowd c ON c.p <@ a.b'),
  within(3, 'SELECT FROM (SELECT DISTINCT ON (id) box(b[1], b[1] + point(0.3,0.3)) AS b FROM areas ORDER BY id) a JOIN crowd c ON c.p <@ a.b'),
  within(3, 'WITH a AS MATERIALIZED (SELECT box(b[1], b[1] + point(0.3,0.3)) AS b FROM areas) SELECT FROM a JOIN crowd c ON c.p <@ a.b'),
  within(3, 'WITH a AS MATERIALIZED (SELECT box(b[1], b[1] + point(0.3,0.3)) AS b FROM areas) SELECT FROM (SELECT c.id FROM a JOIN crowd c ON c.p <@ a.b OFFSET 0) q'),
  within(3, 'SELECT FROM (SELECT b FROM lots UNION ALL SELECT b FROM areas) a JOIN crowd c ON c.p <@ a.b');
-- nothing is known of an aggregate, of a function's result or of a recursion: no ERROR
SELECT expected('SELECT FROM (SELECT box(max(id)::text::point, point(0,0)) AS b FROM areas) a JOIN crowd c ON c.p <@ a.b') >= 1,
  expected('WITH RECURSIVE a(b) AS (SELECT box ''(1,1),(0,0)'' UNION ALL SELECT box(a.b[0] + point(1,1), a.b[1]) FROM a WHERE (a.b[0])[0] < 9) SELECT FROM a JOIN crowd c ON c.p <@ a.b') >= 1,
  expected('SELECT FROM (SELECT int4range(id, id + 3) AS r FROM areas EXCEPT SELECT r FROM shifts) a JOIN spans b ON a.r && b.r') >= 1;
DROP TABLE lots, plots;

-- Conditions with a test around them.
SELECT within(1.3, 'SELECT FROM crowd WHERE (p <@ box(point(0,0), point(20,20))) IS TRUE'), within(1.3, 'SELECT FROM crowd WHERE (p <@ box(point(0,0), point(20,20))) IS NOT TRUE'),
  within(1.3, 'SELECT FROM crowd WHERE (p <@ box(point(0,0), point(20,20))) IS FALSE'), within(1.3, 'SELECT FROM crowd WHERE ((p << point(10,0)) IS NOT FALSE) IS NOT FALSE');

-- Arguments that are not known: what the index itself holds stands for them.
SET plan_cache_mode = force_generic_plan;
PREPARE window_of(box) AS SELECT FROM crowd WHERE p <@ $1;
PREPARE overlapping(box) AS SELECT FROM areas WHERE b && $1;
CREATE FUNCTION expected_of(statement text) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
  plan json;
BEGIN
  EXECUTE format('EXPLAIN (FORMAT JSON) EXECUTE %s', statement) INTO plan;
  RETURN (plan -> 0 -> 'Plan' ->> 'Plan Rows')::float8;
END $$;
SELECT expected_of('window_of(''(1,1),(0,0)'')') BETWEEN 50 AND 400 AS rows_of_a_leaf, expected_of('overlapping(''(1,1),(0,0)'')') BETWEEN 2 AND 60 AS rows_at_a_row;
DEALLOCATE ALL;
RESET plan_cache_mode;

-- Nothing is read for who may not see all rows, and of an index that is not built.
CREATE ROLE estimates_reader;
GRANT SELECT ON crowd TO estimates_reader;
ALTER TABLE crowd ENABLE ROW LEVEL SECURITY;
CREATE POLICY late_ones ON crowd USING (id > 100);
GRANT EXECUTE ON FUNCTION expected(text) TO estimates_reader;
SET ROLE estimates_reader;
SELECT expected('SELECT FROM crowd WHERE p <@ box(point(0,0), point(100,100))') < 100 AS constant;
RESET ROLE;
ALTER TABLE crowd DISABLE ROW LEVEL SECURITY;
DROP POLICY late_ones ON crowd;
DROP INDEX crowd_p;
CREATE INDEX crowd_deferred ON crowd USING xtree (p) WITH (build = deferred);
SELECT expected('SELECT FROM crowd WHERE p <@ box(point(0,0), point(100,100))') = 20 AS constant;
CALL xtree_build('crowd_deferred');
SELECT within(1.3, 'SELECT FROM crowd WHERE p <@ box(point(0,0), point(5,5))');

SELECT xtree_check('crowd_deferred', true);

-- Values of a table are not handed to functions of somebody who may not read it, nor is any function called that takes long.
CREATE FUNCTION leak(b box) RETURNS box LANGUAGE plpgsql STABLE AS $$ BEGIN RAISE NOTICE 'called with %', b; RETURN b; END $$;
CREATE FUNCTION leak_at_once(b box) RETURNS box LANGUAGE plpgsql STABLE COST 0.1 AS $$ BEGIN RAISE NOTICE 'called with %', b; RETURN b; END $$;
EXPLAIN (COSTS OFF) SELECT FROM crowd c, areas a WHERE c.p <@ leak(a.b);
SET ROLE estimates_reader;
EXPLAIN (COSTS OFF) SELECT FROM crowd c, areas a WHERE c.p <@ leak_at_once(a.b);
RESET ROLE;
-- Neither are those of a subquery, a CTE or a part of a union, nor what a view with security_barrier hides.
CREATE VIEW barred WITH (security_barrier) AS SELECT b FROM areas WHERE id < 10;
GRANT SELECT ON barred TO estimates_reader;
SET ROLE estimates_reader;
DO $$
DECLARE
  source text;
BEGIN
  FOREACH source IN ARRAY ARRAY['(SELECT b FROM areas OFFSET 0)', '(WITH w AS MATERIALIZED (SELECT b FROM areas) SELECT b FROM w)',
                                '(SELECT b FROM areas UNION ALL SELECT b FROM areas)', 'barred'] LOOP
    BEGIN
      EXECUTE format('EXPLAIN SELECT FROM crowd c, %s a WHERE c.p <@ leak_at_once(a.b)', source);
      RAISE NOTICE '% may be asked', source;
    EXCEPTION WHEN insufficient_privilege THEN NULL;
    END;
  END LOOP;
END $$;
RESET ROLE;
DROP VIEW barred;

-- Numbers that are none, and beyond what can be subtracted.
CREATE TABLE odd AS SELECT g AS id, CASE g % 6 WHEN 0 THEN 'NaN' WHEN 1 THEN 'inf' WHEN 2 THEN '-inf' ELSE g::float8 END AS f, 1e308 + g * 1e303 AS huge,
  CASE WHEN g % 50 = 0 THEN point('inf', 'NaN') ELSE point(g % 100, g % 77) END AS p FROM generate_series(1, 5000) g;
CREATE INDEX odd_f ON odd USING xtree (f, id);
CREATE INDEX odd_huge ON odd USING xtree (huge, id);
CREATE INDEX odd_p ON odd USING xtree (p);
VACUUM ANALYZE odd;
SELECT within(1.5, $$SELECT FROM odd WHERE f = 'NaN' AND id > 0$$), within(1.5, 'SELECT FROM odd WHERE huge > 1.002e308 AND id > 0'),
  within(2, $$SELECT FROM odd WHERE p <@ box '(10,10),(inf,5000)'$$);

-- Sums over partitions, also of what is counted by their rows; a key that is only the beginning of a text; rows that have come since the last VACUUM.
SELECT within(4, 'SELECT FROM parted x JOIN parted y USING (id) WHERE x.p <@ box(point(0,0), point(90,90)) AND y.p <@ box(point(0,0), point(90,90))');
CREATE TABLE pages AS SELECT g AS id, 'http://www.example.org/some/long/prefix/' || g AS u, point(g % 100, g % 77) AS p FROM generate_series(1, 20000) g;
CREATE INDEX pages_p_u ON pages USING xtree (p, u);
VACUUM ANALYZE pages;
SELECT within(3, $$SELECT FROM pages WHERE u > 'http://www.example.org/some/long/prefix/9' AND p IS NOT NULL$$);
CREATE TABLE growing AS SELECT point(g % 100, g % 77) AS p FROM generate_series(1, 5000) g;
CREATE INDEX growing_p ON growing USING xtree (p);
VACUUM ANALYZE growing;
INSERT INTO growing SELECT point(g % 991, g % 997) FROM generate_series(1, 95000) g;
SELECT within(2, 'SELECT FROM growing WHERE p <@ box(point(0,0), point(100,100))');
SELECT xtree_check(indexrelid, true) FROM pg_index WHERE indexrelid IN ('odd_f'::regclass, 'odd_huge'::regclass, 'odd_p'::regclass, 'pages_p_u'::regclass, 'growing_p'::regclass);
DROP TABLE odd, pages, growing;

-- Arguments that an operator refuses, NULLs, empty arrays and tables.
CREATE TABLE vectors AS SELECT g AS id, ARRAY[g % 100, g % 77, g % 10]::float8[] AS v FROM generate_series(1, 5000) g;
CREATE INDEX vectors_v ON vectors USING xtree (v);
VACUUM ANALYZE vectors;
SELECT within(1.3, 'SELECT FROM vectors WHERE v <@ xtree_window(''{0,0,0}'', ''{50,50,5}'')'), within(1.3, 'SELECT FROM vectors WHERE v <-> ''{1,2,3}'' < 30');
EXPLAIN (COSTS OFF) SELECT FROM vectors WHERE v <@ xtree_window('{0,0}', '{50,50}');
SELECT within(1, 'SELECT FROM crowd WHERE p <@ NULL::box'), within(1, 'SELECT FROM crowd WHERE p <@ ANY (''{}''::box[])');
TRUNCATE crowd;
SELECT expected('SELECT FROM crowd WHERE p <@ box(point(0,0), point(100,100))') < 100 AS few;
SELECT expected('SELECT FROM crowd WHERE p <@ ANY ((SELECT ARRAY[box(point(0,0), point(100,100))])::box[])') < 100 AS few;

SELECT xtree_check(indexrelid, true) FROM pg_index WHERE indexrelid IN ('areas_b'::regclass, 'spans_r'::regclass, 'vectors_v'::regclass);
DROP TABLE crowd, areas, spots, spans, shifts, parted, vectors;
DROP FUNCTION leak, leak_at_once, expected, within, expected_inside, expected_of;
DROP ROLE estimates_reader;
