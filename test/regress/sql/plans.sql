-- The planner's choices: an X-tree is taken where it is better, and only there.
SET client_min_messages = warning;
CREATE TABLE readings (id int, a int, b int, c int, d int, p point);
INSERT INTO readings
  SELECT i, hashint4(i) % 10000, hashint4(i + 1000000) % 10000, hashint4(i + 2000000) % 10000, hashint4(i + 3000000) % 10000,
         point(hashint4(i + 4000000) % 10000, hashint4(i + 5000000) % 10000)
    FROM generate_series(1, 100000) i;
CREATE INDEX readings_xtree ON readings USING xtree (a, b, c, d);
CREATE INDEX readings_point ON readings USING xtree (p);
VACUUM ANALYZE readings;

-- narrow on all four columns, or on the last two: nothing else can do this well
EXPLAIN (COSTS OFF) SELECT id FROM readings WHERE a BETWEEN 0 AND 1000 AND b BETWEEN 0 AND 1000 AND c BETWEEN 0 AND 1000 AND d BETWEEN 0 AND 1000;
EXPLAIN (COSTS OFF) SELECT id FROM readings WHERE c BETWEEN 0 AND 200 AND d BETWEEN 0 AND 200;

-- a B-tree that leads with the two columns in question is better than an X-tree that has two columns more, and wins
CREATE INDEX readings_btree ON readings (a, b);
EXPLAIN (COSTS OFF) SELECT id FROM readings WHERE a = 17 AND b BETWEEN 0 AND 200;
EXPLAIN (COSTS OFF) SELECT id FROM readings WHERE a BETWEEN 10 AND 12 AND b BETWEEN 0 AND 200;
-- with all four columns asked for the X-tree wins again
EXPLAIN (COSTS OFF) SELECT id FROM readings WHERE a BETWEEN 0 AND 1000 AND b BETWEEN 0 AND 1000 AND c BETWEEN 0 AND 1000 AND d BETWEEN 0 AND 1000;

-- a condition that most rows meet: sequential scan
EXPLAIN (COSTS OFF) SELECT id FROM readings WHERE a >= -9000;
-- the nearest few
EXPLAIN (COSTS OFF) SELECT id FROM readings ORDER BY p <-> point '(1,2)' LIMIT 10;
-- Many rows are fetched page by page, where a plain scan would come to each page with each leaf again and all pages are in memory; few by a plain
-- scan, which makes no bitmap; and many that lie together in the table by a plain scan, too.
SET random_page_cost = 1.1;
EXPLAIN (COSTS OFF) SELECT count(id) FROM readings WHERE p <@ box '(0,0),(5000,5000)';
EXPLAIN (COSTS OFF) SELECT count(id) FROM readings WHERE p <@ box '(0,0),(200,200)';
-- What answers for one side of an OR is no path of the table, and neither is a partial index that one side implies.
CREATE INDEX readings_some ON readings USING xtree (p) WHERE id <= 50000;
EXPLAIN (COSTS OFF) SELECT count(id) FROM readings WHERE p <@ box '(0,0),(2000,2000)' OR p <@ circle '<(4000,4000),1000>';
SELECT count(id) FROM readings WHERE p <@ box '(0,0),(2000,2000)' OR p <@ circle '<(4000,4000),1000>';
SELECT count(id) FROM readings WHERE p <@ box '(0,0),(9000,9000)' AND (id <= 50000 AND p <@ box '(0,0),(2000,2000)' OR p <@ circle '<(4000,4000),1000>');
SET enable_seqscan = on; SET enable_indexscan = off; SET enable_indexonlyscan = off; SET enable_bitmapscan = off;
SELECT count(id) FROM readings WHERE p <@ box '(0,0),(2000,2000)' OR p <@ circle '<(4000,4000),1000>';
SELECT count(id) FROM readings WHERE p <@ box '(0,0),(9000,9000)' AND (id <= 50000 AND p <@ box '(0,0),(2000,2000)' OR p <@ circle '<(4000,4000),1000>');
RESET enable_seqscan; RESET enable_indexscan; RESET enable_indexonlyscan; RESET enable_bitmapscan;
DROP INDEX readings_some;
-- Beside a B-tree over two columns that go together, of which the server expects the product: the tree over these and a third knows how many rows the
-- B-tree will find, too.
CREATE TABLE diary AS SELECT i AS id, point(100 * (i * 0.6180339887 % 1), 100 * (i * 0.7548776662 % 1)) AS p, i % 100 AS kind, i % 100 * 10 + i % 7 AS day FROM generate_series(1, 50000) i;
CREATE INDEX diary_xtree ON diary USING xtree (p, kind, day);
CREATE INDEX diary_btree ON diary (kind, day);
VACUUM ANALYZE diary;
EXPLAIN (COSTS OFF) SELECT count(id) FROM diary WHERE p <@ box '(0,0),(40,40)' AND kind = 17 AND day BETWEEN 170 AND 177;
CREATE TABLE sorted AS SELECT i AS id, point(i, i % 100) AS p FROM generate_series(1, 100000) i;
CREATE INDEX sorted_xtree ON sorted USING xtree (p);
VACUUM ANALYZE sorted;
EXPLAIN (COSTS OFF) SELECT count(id) FROM sorted WHERE p <@ box '(0,0),(25000,100)';
-- An exact bitmap tests no row again, however much that would cost.
CREATE TABLE parts AS SELECT i AS id, ARRAY[hashint4(i) % 1000, hashint4(i + 1000000) % 1000, hashint4(i + 2000000) % 1000]::float8[] AS v FROM generate_series(1, 20000) i;
CREATE INDEX parts_xtree ON parts USING xtree (v);
VACUUM ANALYZE parts;
EXPLAIN (COSTS OFF) SELECT count(id) FROM parts WHERE v <@ xtree_window('{0,0,-2000}', '{2000,2000,2000}');
RESET random_page_cost;
-- a tiny table is scanned
CREATE TABLE tiny AS SELECT * FROM readings LIMIT 5;
CREATE INDEX tiny_xtree ON tiny USING xtree (a, b);
ANALYZE tiny;
EXPLAIN (COSTS OFF) SELECT id FROM tiny WHERE a = 1 AND b = 2;
-- planning reads nothing of an index, however many there are
DO $$ BEGIN FOR i IN 1..50 LOOP EXECUTE format('CREATE INDEX many_%s ON tiny USING xtree (a, b, c)', i); END LOOP; END $$;
SELECT pg_stat_force_next_flush();
SELECT count(pg_stat_reset_single_table_counters(indexrelid)) FROM pg_index WHERE indrelid = 'tiny'::regclass;
EXPLAIN (COSTS OFF) SELECT id FROM tiny WHERE a = 1 AND b = 2;
SELECT pg_stat_force_next_flush();
SELECT sum(idx_blks_read + idx_blks_hit) AS blocks FROM pg_statio_user_indexes WHERE relname = 'tiny';
SET enable_seqscan = off;
SELECT id FROM tiny WHERE a = 1 AND b = 2;
SELECT pg_stat_force_next_flush();
SELECT sum(idx_blks_read + idx_blks_hit) > 0 AS blocks, sum(idx_scan) AS scans
  FROM pg_statio_user_indexes JOIN pg_stat_user_indexes USING (indexrelid) WHERE pg_stat_user_indexes.relname = 'tiny';
DROP TABLE readings, diary, sorted, parts, tiny;
