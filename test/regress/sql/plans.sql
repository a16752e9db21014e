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
DROP TABLE readings, tiny;
