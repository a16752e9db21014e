-- Joins of two trees: whatever a join says through both indexes, it says without them.
-- Seen to fail: without the tolerance of core's geometry; with pairs at the ends of the ordinals taken for certain; with empty ranges that lie in nothing; with the tables' conditions not tested; with -0 not at
-- a distance of 0 from 0.

SET xtree.enable_lookup_join = off;
-- Boxes: near and within core's tolerance, large, special, NULL.
CREATE TABLE special (c float8);
INSERT INTO special VALUES ('NaN'), ('Infinity'), ('-Infinity'), ('-0'), (0), ('5e-324'), (1e-6), (-1e-6), (1.0000001e-6),
  (1), (-1), (1.000001), (8589934592), (1e17), (-1e150);
CREATE TABLE a (id int, kind int, b box, n int);
INSERT INTO a SELECT g, g % 10, box(point(x, y), point(x + g % 4 + (g % 3 - 1) * 5e-7, y + g % 3 + (g % 5 - 2) * 5e-7)), g % 7
FROM generate_series(1, 1200) g, LATERAL (SELECT (g * 7919) % 111 AS x, (g * 104729) % 103 AS y) AS corner;
INSERT INTO a SELECT 4000 + g, g % 10, box(point(-g, -g), point(g * 1e7, g)), NULL FROM generate_series(1, 5) g;
INSERT INTO a SELECT 5000 + row_number() OVER (ORDER BY a.c, b.c, a.c::text, b.c::text), 3, box(point(a.c, b.c), point(b.c, 1)), 1
FROM special a, special b;
INSERT INTO a SELECT 6000 + g, g, NULL, g FROM generate_series(1, 5) g;
CREATE TABLE b AS SELECT id, kind, b, n FROM a WHERE id % 2 = 0 OR id > 4000;
UPDATE b SET b = b + point(1, 0) WHERE id < 3000 AND id % 3 = 0;
CREATE INDEX a_b ON a USING xtree (b, n);
CREATE INDEX b_b ON b USING xtree (kind, b);
ANALYZE a, b;

SELECT explain_plan('SELECT * FROM a JOIN b ON a.b && b.b');
SELECT op, (joined(format('SELECT a.id, b.id FROM a JOIN b ON a.b %s b.b', op))).* FROM unnest(ARRAY['&&', '@>', '<@', '~=']) op;
-- Of operators that say little of both sides, or nothing that trees can do, there is none.
SELECT op, (joined(format('SELECT a.id, b.id FROM a JOIN b ON a.b %s b.b WHERE a.id < 50', op))).node FROM unnest(ARRAY['<<', '&<|']) op;

-- Conditions of either table, of the index's columns and others; several clauses; expressions of both; no column at all.
SELECT (joined(q)).* FROM unnest(ARRAY[
  'SELECT a.*, b.* FROM a JOIN b ON a.b && b.b WHERE a.n = 3 AND b.kind IN (2, 5)',
  'SELECT a.id, b.id FROM a JOIN b ON a.b && b.b AND a.id + b.id > 900 WHERE a.b <@ box ''(0,0),(80,80)'' AND b.id % 3 = 1',
  'SELECT a.id, b.id FROM a JOIN b ON a.b && b.b AND a.n = b.kind',
  'SELECT a.id, b.id FROM a, b WHERE a.b && b.b AND a.b @> b.b AND a.n IS NULL',
  'SELECT a.id + b.id, a.b # b.b FROM a, b WHERE b.b && a.b AND a.id < b.id',
  'SELECT 1 FROM a JOIN b ON a.b && b.b AND b.b && a.b',
  'SELECT a, b.ctid, b.tableoid::regclass FROM a JOIN b ON a.b ~= b.b',
  'SELECT x.id, y.id FROM a x JOIN a y ON x.b && y.b AND x.id < y.id AND x.kind <> y.kind',
  'SELECT a.id FROM a JOIN b ON a.b && b.b WHERE false',
  'SELECT a.id FROM a JOIN b ON a.b && b.b WHERE a.n < b.n AND b.kind = ANY (ARRAY[]::int[])']) q;

-- As a part of other plans: with a third table, below an outer join, run again for each row outside, with parameters, LIMIT.
SELECT (joined(q)).rows, (joined(q)).same FROM unnest(ARRAY[
  'SELECT a.id, b.id, c.id FROM a JOIN b ON a.b && b.b JOIN b c ON c.b @> a.b WHERE a.id < 300',
  'SELECT c.id, x.n FROM b c LEFT JOIN (SELECT a.id, count(*) n FROM a JOIN b ON a.b && b.b GROUP BY a.id) x ON x.id = c.id',
  'SELECT k, (SELECT count(*) FROM a JOIN b ON a.b && b.b WHERE a.n = k AND b.kind >= k) FROM generate_series(0, 6) k',
  'SELECT k, x.* FROM generate_series(0, 3) k, LATERAL (SELECT a.id i, b.id j FROM a JOIN b ON a.b && b.b AND a.n = k ORDER BY 1, 2 LIMIT 20 OFFSET k) x',
  'SELECT a.id FROM a WHERE a.kind = (SELECT min(x.kind) FROM a x JOIN b y ON x.b @> y.b)']) q;
PREPARE windowed(box, int) AS SELECT count(*), sum(a.id), sum(b.id) FROM a JOIN b ON a.b && b.b WHERE a.b <@ $1 AND b.kind = $2;
SET plan_cache_mode = force_generic_plan;
SET enable_nestloop = off; SET enable_hashjoin = off; SET enable_mergejoin = off;
SELECT explain_plan($$EXECUTE windowed('(0,0),(90,90)', 4)$$);
EXECUTE windowed('(0,0),(90,90)', 4);
EXECUTE windowed('(0,0),(30,30)', 2);
EXECUTE windowed(NULL, 2);
SET xtree.enable_tree_join = off;
EXECUTE windowed('(0,0),(90,90)', 4);
EXECUTE windowed('(0,0),(30,30)', 2);
RESET xtree.enable_tree_join;
RESET plan_cache_mode;

-- What was done: nothing beyond the window is read.
SELECT regexp_replace(line, '\d+', 'N', 'g') FROM explain_analyze('SELECT count(*) FROM a JOIN b ON a.b && b.b WHERE a.n = 3 AND b.id < 2000') line;

-- Cursors: forwards, and backwards as far as the server materializes; left alone while the tables change.
CREATE FUNCTION rest_of(c refcursor, OUT rows int, OUT pairs int) LANGUAGE plpgsql AS $$
DECLARE row record; seen text[] := ARRAY[]::text[];
BEGIN
  LOOP
    FETCH c INTO row;
    EXIT WHEN NOT FOUND;
    seen := seen || row::text;
  END LOOP;
  SELECT count(*), count(DISTINCT i) INTO rows, pairs FROM unnest(seen) i;
END $$;
SELECT count(*) FROM a JOIN b ON a.b && b.b AND a.id < b.id AND a.id < 1000 AND a.kind = 3;
BEGIN;
DECLARE plain CURSOR FOR SELECT a.id, b.id FROM a JOIN b ON a.b && b.b AND a.id < b.id AND a.id < 1000 AND a.kind = 3;
MOVE 10 FROM plain;
DELETE FROM a WHERE id % 2 = 1;
UPDATE b SET b = box(point(0, 0), point(1, 1));
INSERT INTO a SELECT 10000 + i, 1, box(point(i, i), point(i + 1, i + 1)), 1 FROM generate_series(1, 3000) i;
SELECT * FROM rest_of('plain');
ROLLBACK;
BEGIN;
DECLARE back SCROLL CURSOR FOR SELECT a.id, b.id FROM a JOIN b ON a.b && b.b AND a.id BETWEEN 7 AND 20;
MOVE ALL FROM back;
SELECT * FROM rest_of('back');
MOVE ABSOLUTE 0 FROM back;
SELECT * FROM rest_of('back');
MOVE ABSOLUTE 3 FROM back;
SELECT * FROM rest_of('back');
COMMIT;

-- Rows are locked and updated through a join.
BEGIN;
SELECT count(*) FROM (SELECT a.id FROM a JOIN b ON a.b ~= b.b WHERE a.id < 1000 FOR UPDATE OF a FOR SHARE OF b) x;
WITH changed AS (UPDATE a SET kind = 99 FROM b WHERE a.b ~= b.b AND b.id < 500 RETURNING a.id) SELECT count(*), count(DISTINCT id) FROM changed;
SELECT count(*) FROM a WHERE kind = 99;
DELETE FROM b USING a WHERE a.b @> b.b AND a.id BETWEEN 4000 AND 4100;
SELECT count(*) FROM b;
ROLLBACK;

-- Row security: what the policy hides is not seen, and is not tested by functions that might tell.
CREATE FUNCTION tell(int) RETURNS boolean COST 0.0001 LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'told %', $1; RETURN true; END $$;
CREATE ROLE tree_join_user;
GRANT SELECT ON a, b TO tree_join_user;
ALTER TABLE a ENABLE ROW LEVEL SECURITY;
CREATE POLICY some_rows ON a TO tree_join_user USING (id = 700 OR id BETWEEN 10 AND 11);
SET ROLE tree_join_user;
SELECT count(DISTINCT a.id) FROM a JOIN b ON a.b && b.b WHERE tell(a.id);
RESET ROLE;
ALTER TABLE a DISABLE ROW LEVEL SECURITY;
DROP OWNED BY tree_join_user;
DROP ROLE tree_join_user;

-- Points in boxes, polygons.
CREATE TABLE p (id int, p point);
INSERT INTO p SELECT g, point((g * 7919) % 111 + g % 3 * 5e-7, (g * 104729) % 103) FROM generate_series(1, 1200) g;
INSERT INTO p SELECT 4000 + row_number() OVER (), point(a.c, b.c) FROM special a, special b;
INSERT INTO p VALUES (5000, NULL);
CREATE INDEX p_p ON p USING xtree (p);
CREATE TABLE g AS SELECT id, CASE WHEN id < 4000 THEN polygon(b) END AS g FROM a;
INSERT INTO g SELECT 7000 + i, polygon(circle(point(i % 60, i % 53), 1 + i % 3)) FROM generate_series(1, 400) i;
CREATE INDEX g_g ON g USING xtree (g);
ANALYZE p, g;
SELECT q, (joined(q)).* FROM unnest(ARRAY[
  'SELECT a.id, p.id FROM a JOIN p ON p.p <@ a.b',
  'SELECT a.id, p.id FROM a JOIN p ON a.b @> p.p WHERE a.kind < 5',
  'SELECT p.id, a.id FROM p LEFT JOIN a ON p.p <@ a.b',
  'SELECT p.id FROM p WHERE NOT EXISTS (SELECT FROM a WHERE a.b @> p.p)',
  'SELECT a.id FROM a WHERE NOT EXISTS (SELECT FROM p WHERE a.b @> p.p)',
  'SELECT x.id, y.id FROM p x JOIN p y ON x.p ~= y.p',
  'SELECT x.id, y.id FROM g x JOIN g y ON x.g && y.g WHERE x.id > 4000',
  'SELECT x.id, y.id FROM g x JOIN g y ON x.g @> y.g WHERE x.id > 4000',
  'SELECT x.id, y.id FROM g x JOIN g y ON x.g ~= y.g']) q;

-- Within a distance, either way round.
SELECT q, (joined('SELECT x.id, y.id FROM p x JOIN p y ON ' || q)).* FROM unnest(ARRAY['x.p <-> y.p < 1', '2 >= x.p <-> y.p AND x.id < y.id', 'x.p <-> y.p <= 0',
  'x.p <-> y.p <= 1e-6', 'x.p <-> y.p <= ''NaN'' AND x.id > 4000 AND y.id % 100 = 0', 'x.p <-> y.p <= ''Infinity'' AND x.id > 4000 AND y.id % 100 = 0', 'x.p <-> y.p <= -1',
  'x.p <-> y.p = 1', 'x.p <-> y.p < (SELECT 1.5)', 'x.p <-> y.p < x.id AND x.id < 3', 'x.p <-> y.p > 1 AND x.id = 4']) q;

-- Ranges and multiranges, with empty ones, unbounded ones, and all kinds of bounds.
CREATE TABLE r (id int, i int4range, j int8range, n numrange, t tstzrange, m int4multirange);
INSERT INTO r SELECT g, int4range(lo, lo + g % 9, CASE g % 2 WHEN 0 THEN '[]' ELSE '[)' END),
  CASE g % 50 WHEN 0 THEN 'empty' WHEN 1 THEN int8range(NULL, lo) WHEN 2 THEN int8range(lo, NULL) WHEN 3 THEN '(,)' ELSE int8range(lo, lo + g % 5) END,
  CASE g % 40 WHEN 0 THEN 'empty' WHEN 1 THEN numrange(NULL, lo / 7.0, '()') WHEN 2 THEN '[NaN,)' ELSE
    numrange(lo / 7.0, (lo + g % 6) / 7.0, (ARRAY['[]', '[)', '(]', '()'])[1 + g % 4]) END,
  tstzrange('2024-01-01'::timestamptz + lo * interval '1 hour', '2024-01-01'::timestamptz + (lo + g % 5) * interval '1 hour'),
  CASE g % 30 WHEN 0 THEN '{}' ELSE int4multirange(int4range(lo, lo + 2), int4range(lo + 4, lo + 4 + g % 5)) END
FROM generate_series(1, 600) g, LATERAL (SELECT (g * 7919) % 1601 AS lo) x;
INSERT INTO r (id) SELECT 2000 + g FROM generate_series(1, 5) g;
INSERT INTO r (id, j) SELECT 2100 + row_number() OVER (), int8range(a, b) FROM unnest(ARRAY[NULL, -9223372036854775808, -9223372036854775807, -9223372036854775806]) a,
  unnest(ARRAY[-9223372036854775808, -9223372036854775807, -9223372036854775806, 9223372036854775807, NULL]) b WHERE a <= b IS NOT FALSE;
INSERT INTO r (id, j) SELECT 2200 + row_number() OVER (), int8range(a, b) FROM unnest(ARRAY[9223372036854775805, 9223372036854775806]) a, unnest(ARRAY[9223372036854775806, 9223372036854775807, NULL]) b;
INSERT INTO r (id, n) SELECT 2300 + row_number() OVER (), n FROM unnest(ARRAY['(,-Infinity)', '[-Infinity,1]', '(1,Infinity)', '[Infinity,Infinity]', '(Infinity,NaN)', '[NaN,NaN]', '(1.00000000000000000001,2)',
  '[1,1.00000000000000000001]']::numrange[]) n;
INSERT INTO r (id, t) SELECT 2400 + row_number() OVER (), t FROM unnest(ARRAY['(,-infinity)', '[-infinity,2024-01-01)', '[2024-01-01,infinity)', '[infinity,infinity]', '(infinity,)', '(,2024-01-01)']::tstzrange[]) t;
CREATE INDEX r_i ON r USING xtree (i, j, n);
CREATE INDEX r_t ON r USING xtree (t, m);
ANALYZE r;
SELECT c, op, (joined(format('SELECT x.id, y.id FROM r x JOIN r y ON x.%s %s y.%1$s', c, op))).*
FROM unnest(ARRAY['i', 'j', 'n', 't', 'm']) c, unnest(ARRAY['&&', '@>', '<@', '=', '-|-']) op ORDER BY c COLLATE "C", op COLLATE "C";
SELECT q, (joined(q)).* FROM unnest(ARRAY[
  'SELECT x.id, y.id FROM r x JOIN r y ON x.i && y.m',
  'SELECT x.id, y.id FROM r x JOIN r y ON x.m @> y.i',
  'SELECT x.id, y.id FROM r x JOIN r y ON x.i && y.i AND x.j @> y.j AND x.n <@ y.n',
  'SELECT x.id, y.id FROM r x JOIN r y ON x.i -|- y.m',
  'SELECT x.id, y.id FROM r x JOIN r y ON x.m -|- y.i AND x.j && y.j',
  'SELECT x.id, y.id FROM r x LEFT JOIN r y ON x.j -|- y.j AND x.id <> y.id',
  'SELECT x.id FROM r x WHERE NOT EXISTS (SELECT FROM r y WHERE x.t -|- y.t)']) q;

-- Equality of scalars and texts: one type, or several whose ordinals are the numbers; not that of others with -0, or with another collation.
CREATE TABLE s (i2 int2, i4 int4, i8 int8, d date, ts timestamp, t text, u uuid, f float8, net inet, tc text COLLATE "C");
INSERT INTO s SELECT g % 40, g % 50, g, '2024-01-01'::date + g % 90, '2024-01-01'::timestamp + g * interval '1 minute', 'key ' || g % 300,
  md5((g % 400)::text)::uuid, CASE g % 100 WHEN 0 THEN 0 WHEN 1 THEN '-0' ELSE g % 200 END, '10.0.0.0'::inet + g % 500, 'key ' || g % 200
FROM generate_series(1, 800) g;
INSERT INTO s SELECT;
CREATE INDEX s_all ON s USING xtree (i2, i4, i8, d, ts, t, u, f, net, tc);
ANALYZE s;
SELECT q, (joined('SELECT x.i8, y.i8 FROM s x JOIN s y ON ' || q)).* FROM unnest(ARRAY['x.i4 = y.i8', 'x.i2 = y.i8', 'x.d = y.d AND x.i4 = y.i4', 'x.ts = y.ts',
  'x.u = y.u', 'x.f = y.f AND x.i8 < 300', 'x.net = y.net', 'x.net && y.net AND x.i8 < 200', 'x.tc = y.tc', 'x.t = y.tc COLLATE "C"', 'x.d = y.ts']) q;

-- What the keys have is not fetched, of rows that all can see. Bits of zeros come back as they went in.
VACUUM a, b;
SELECT line FROM explain_analyze('SELECT count(*) FROM a JOIN b ON a.b && b.b WHERE a.n = 3 AND b.kind > 2') line WHERE line ~ 'Fetched|Filter';
SELECT (joined(q)).* FROM unnest(ARRAY['SELECT a.b, b.b, a.n FROM a JOIN b ON a.b && b.b', 'SELECT a.b, b.id FROM a JOIN b ON a.b ~= b.b WHERE a.n IS NULL OR a.n < 4',
  'SELECT a.b, b.kind FROM a JOIN b ON a.b && b.b AND a.n < b.kind']) q;
BEGIN;
DELETE FROM a WHERE id % 5 = 0;
UPDATE b SET kind = 1 WHERE id % 7 = 0;
SELECT (joined('SELECT a.b, b.b, a.n, b.kind FROM a JOIN b ON a.b && b.b')).*;
ROLLBACK;

-- The same of columns that the index has by INCLUDE: of any type, NULL, compressed, of rows that were updated since.
CREATE TABLE wide (id int, b box, t text, n numeric, d date, far text);
INSERT INTO wide SELECT g, CASE WHEN g % 17 > 0 THEN box(point(g % 60, g % 53), point(g % 60 + 1, g % 53 + 1)) END, CASE WHEN g % 5 > 0 THEN repeat('text ' || g % 9, g % 40) END,
  CASE WHEN g % 7 > 0 THEN g / 3.0 END, '2024-01-01'::date + g % 40, repeat(md5(g::text), g % 3) FROM generate_series(1, 1500) g;
UPDATE wide SET t = repeat('long', 2000) WHERE id % 100 = 1;
CREATE INDEX wide_b ON wide USING xtree (b) INCLUDE (id, t, n);
ANALYZE wide;
VACUUM wide;
SELECT line FROM explain_analyze('SELECT x.id, x.t, y.n FROM wide x JOIN wide y ON x.b && y.b WHERE y.n > 7 AND x.id < 900') line WHERE line ~ 'Fetched';
SELECT (regexp_match(line, ': (\d+)'))[1]::int > 0 AS fetched FROM explain_analyze('SELECT x.d, y.n FROM wide x JOIN wide y ON x.b && y.b') line WHERE line ~ 'Left Rows Fetched';
SELECT (joined(q)).* FROM unnest(ARRAY['SELECT x.id, x.t, y.n, y.b FROM wide x JOIN wide y ON x.b && y.b WHERE y.n > 7 AND x.id < 900', 'SELECT x.t, y.t FROM wide x LEFT JOIN wide y ON x.b ~= y.b AND x.n < y.n',
  'SELECT x.t FROM wide x WHERE EXISTS (SELECT FROM wide y WHERE x.b && y.b AND x.id <> y.id AND x.t = y.t)', 'SELECT x.t, x.id, x.n FROM wide x WHERE NOT EXISTS (SELECT FROM wide y WHERE x.b @> y.b AND x.n < y.n)',
  'SELECT x.far, y.id FROM wide x JOIN wide y ON x.b && y.b WHERE x.d > ''2024-01-20''', 'SELECT x, y.t FROM wide x JOIN wide y ON x.b && y.b AND y.id < 40']) q;
BEGIN;
UPDATE wide SET t = 'new' WHERE id % 10 = 3;
DELETE FROM wide WHERE id % 10 = 4;
SELECT (joined('SELECT x.id, x.t, y.t FROM wide x LEFT JOIN wide y ON x.b && y.b')).*;
ROLLBACK;

-- In parallel: the trees are shared.
SET max_parallel_workers_per_gather = 2; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0; SET min_parallel_index_scan_size = 0; SET enable_nestloop = off;
SELECT explain_plan('SELECT count(*) FROM a JOIN b ON a.b && b.b WHERE a.id > 0');
SELECT regexp_replace(line, '\d+', 'N', 'g') FROM explain_analyze('SELECT count(*) FROM a JOIN b ON a.b && b.b WHERE a.id > 0') line WHERE line ~ 'Gather|Parallel|Fetched|Join Cond:';
SELECT count(*), sum(a.id::bigint * b.id), count(DISTINCT (a.id, b.id)) FROM a JOIN b ON a.b && b.b WHERE a.id > 0;
SELECT k, (SELECT count(*) FROM a JOIN b ON a.b && b.b AND a.n = k) FROM generate_series(0, 2) k;
SET max_parallel_workers_per_gather = 0;
SELECT count(*), sum(a.id::bigint * b.id), count(DISTINCT (a.id, b.id)) FROM a JOIN b ON a.b && b.b WHERE a.id > 0;
SELECT k, (SELECT count(*) FROM a JOIN b ON a.b && b.b AND a.n = k) FROM generate_series(0, 2) k;
RESET max_parallel_workers_per_gather; RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET min_parallel_table_scan_size; RESET min_parallel_index_scan_size; RESET enable_nestloop;

-- Partitions are joined one by one.
CREATE TABLE parts (id int, k int, b box) PARTITION BY LIST (k);
CREATE TABLE parts_0 PARTITION OF parts FOR VALUES IN (0);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1);
INSERT INTO parts SELECT id, id % 2, b FROM a WHERE id < 4000;
CREATE INDEX parts_b ON parts USING xtree (b);
ANALYZE parts;
SET enable_partitionwise_join = on;
SELECT (joined('SELECT x.id, y.id FROM parts x JOIN parts y ON x.k = y.k AND x.b && y.b')).*;
SELECT (joined('SELECT x.id, y.id FROM parts_0 x JOIN a y ON x.b && y.b')).*;
RESET enable_partitionwise_join;

-- Partial indexes where their rows are all that is asked for; expressions; indexes that are not built; vacuumed tables.
CREATE TABLE e (id int, x float8, y float8, deleted bool);
INSERT INTO e SELECT g, g % 97, g % 89, g % 5 = 0 FROM generate_series(1, 2000) g;
CREATE INDEX e_box ON e USING xtree (box(point(x, y), point(x + 1, y + 1))) WHERE NOT deleted;
ANALYZE e;
SELECT (joined('SELECT a.id, e.id FROM a JOIN e ON a.b && box(point(x, y), point(x + 1, y + 1)) WHERE NOT deleted')).*;
SELECT (joined('SELECT a.id, e.id FROM a JOIN e ON a.b && box(point(x, y), point(x + 1, y + 1)) WHERE a.id < 100')).*;
DELETE FROM a WHERE id BETWEEN 1000 AND 2500;
VACUUM a;
INSERT INTO a SELECT 20000 + g, g % 10, box(point(g % 150, g % 140), point(g % 150 + 2, g % 140 + 2)), g % 7 FROM generate_series(1, 2000) g;
SELECT (joined('SELECT a.id, b.id FROM a JOIN b ON a.b && b.b')).*;

SELECT xtree_check(i, true) FROM unnest(ARRAY['a_b', 'b_b', 'p_p', 'g_g', 'r_i', 'r_t', 's_all', 'wide_b', 'parts_0_b_idx', 'parts_1_b_idx', 'e_box']::regclass[]) i;
DROP TABLE a, b, p, g, r, s, e, wide, parts, special;
DROP FUNCTION rest_of, tell;
RESET xtree.enable_lookup_join;
