-- Left, right, semi and anti joins of two trees: whatever one says through both indexes, it says without them.
-- Seen to fail: with conditions above an outer join taken for its clauses; with the marks of a leaf's rows lost
-- between batches; with a semi join that goes by the keys alone; with what a join found before it was started again.

CREATE TABLE special (c float8);
INSERT INTO special VALUES ('NaN'), ('Infinity'), ('-Infinity'), ('-0'), (0), ('5e-324'), (1e-6), (-1e-6), (1.0000001e-6), (1), (-1), (1e17);
CREATE TABLE a (id int, kind int, b box, n int, r int4range);
INSERT INTO a SELECT g, g % 10, box(point(x, y), point(x + g % 3 * 0.4, y + g % 2)), nullif(g % 7, 3), CASE WHEN g % 13 > 0 THEN int4range(x, x + g % 4) END
FROM generate_series(1, 1500) g, LATERAL (SELECT (g * 7919) % 211 AS x, (g * 104729) % 103 AS y) AS corner;
INSERT INTO a SELECT 5000 + row_number() OVER (ORDER BY a.c, b.c, a.c::text, b.c::text), 3, box(point(a.c, b.c), point(b.c, 1)), 1 FROM special a, special b;
UPDATE a SET r = 'empty' WHERE id > 5000 AND id % 8 = 0;
INSERT INTO a SELECT 6000 + g, g % 10, NULL, nullif(g % 4, 2), NULL FROM generate_series(1, 30) g;
INSERT INTO a SELECT 7000 + g, g % 10, box(point(50, 50), point(50.5, 50.5)), 1, '[50,51)' FROM generate_series(1, 60) g;  -- duplicates
CREATE TABLE b AS SELECT id, kind, b, n, r FROM a WHERE id % 4 = 0 OR id BETWEEN 5000 AND 6015;
UPDATE b SET b = b + point(0.3, 0), r = int4range(id % 300, id % 300 + id % 5) WHERE id < 3000 AND id % 3 = 0;
CREATE INDEX a_b ON a USING xtree (b, n);
CREATE INDEX b_b ON b USING xtree (kind, b);
CREATE INDEX a_r ON a USING xtree (r, n);
CREATE INDEX b_r ON b USING xtree (r);
CREATE TABLE none (id int, b box);
CREATE INDEX none_b ON none USING xtree (b);
ANALYZE a, b, none;

SET enable_nestloop = off; SET enable_hashjoin = off; SET enable_mergejoin = off;
SELECT line FROM unnest(ARRAY['SELECT a.id, b.id FROM a LEFT JOIN b ON a.b && b.b AND b.kind = 2 AND a.kind > 3 WHERE a.n = 1 AND coalesce(b.id, 0) % 2 = 0',
  'SELECT a.id, b.id FROM b RIGHT JOIN a ON a.b && b.b', 'SELECT a.id FROM a WHERE EXISTS (SELECT FROM b WHERE a.b && b.b AND a.id <> b.id)',
  'SELECT a.id FROM a WHERE NOT EXISTS (SELECT FROM b WHERE a.b && b.b) AND a.n IS NULL']) WITH ORDINALITY q(q, i), explain_plan(q) WITH ORDINALITY p(line, n) ORDER BY i, n;
SELECT (explain_plan)::json #>> '{0,Plan,Join Type}' FROM (SELECT string_agg(l, E'\n') AS explain_plan FROM explain_plan('SELECT FROM a JOIN b ON a.b && b.b', ', FORMAT json') l) x;
RESET enable_nestloop; RESET enable_hashjoin; RESET enable_mergejoin;

-- Each join by each operator, with and without conditions: of the join on either table, of both, above it.
SELECT op, kind, (joined(format(q, op))).* FROM unnest(ARRAY['a.b && b.b', 'a.b @> b.b', 'a.b ~= b.b', 'a.r && b.r', 'a.r @> b.r', 'a.r <@ b.r', 'a.r = b.r']) WITH ORDINALITY o(op, i),
  (VALUES (1, 'left', 'SELECT a.id, b.* FROM a LEFT JOIN b ON %s'), (2, 'semi', 'SELECT a.* FROM a WHERE EXISTS (SELECT FROM b WHERE %s)'),
    (3, 'anti', 'SELECT a.* FROM a WHERE NOT EXISTS (SELECT FROM b WHERE %s)')) k(j, kind, q) ORDER BY i, j;
SELECT q, (joined(q)).* FROM unnest(ARRAY[
  'SELECT a.id, b.id FROM a LEFT JOIN b ON a.b && b.b AND a.kind < 5',
  'SELECT a.id, b.id FROM a LEFT JOIN b ON a.b && b.b AND b.kind IN (2, 5)',
  'SELECT a.id, b.id FROM a LEFT JOIN b ON a.b && b.b AND a.n = b.kind AND a.id + b.id > 900',
  'SELECT a.id, b.id FROM a LEFT JOIN b ON a.b && b.b AND a.b <@ box ''(0,0),(80,80)'' WHERE a.n IN (1, 2)',
  'SELECT a.id, b.id FROM a LEFT JOIN b ON a.b && b.b WHERE a.b IS NULL',
  'SELECT a.id, b.id FROM a LEFT JOIN b ON a.b && b.b WHERE a.b <@ box ''(0,0),(80,80)'' AND coalesce(b.n, a.n) = 2',
  'SELECT a.id, b.id FROM a LEFT JOIN b ON a.b && b.b WHERE b.n IS NULL',
  'SELECT a.id, b.id FROM a LEFT JOIN b ON a.b && b.b WHERE b.b IS NULL',
  'SELECT a.id, b.id, b.kind FROM a LEFT JOIN b ON a.b && b.b AND b.id > 0 WHERE b.id IS NULL',
  'SELECT a.id, b.id FROM a LEFT JOIN b ON a.b && b.b AND b.kind = ANY (ARRAY[]::int[])',
  'SELECT a.id, b.id FROM a LEFT JOIN b ON a.b && b.b AND b.b <@ NULL::box',
  'SELECT a.id, b.id FROM a LEFT JOIN b ON a.b && b.b WHERE a.b <@ NULL::box',
  'SELECT x, y, y.ctid, y.tableoid::regclass FROM a x LEFT JOIN b y ON x.b ~= y.b',
  'SELECT 1 FROM a LEFT JOIN b ON a.b && b.b',
  'SELECT x.id, y.id FROM a x LEFT JOIN a y ON x.b && y.b AND x.id < y.id',
  'SELECT a.id, none.id FROM a LEFT JOIN none ON a.b && none.b',
  'SELECT a.id, none.id FROM none LEFT JOIN a ON a.b && none.b',
  'SELECT b.id FROM a RIGHT JOIN b ON a.b @> b.b AND a.n IS NOT NULL',
  'SELECT a.id FROM a WHERE EXISTS (SELECT FROM b WHERE a.b && b.b AND a.n = b.kind)',
  'SELECT a.b FROM a WHERE EXISTS (SELECT FROM b WHERE a.b && b.b AND a.id * 7 % 5 = b.id % 5 AND b.kind > 2) AND a.kind > 4',
  'SELECT a.b FROM a WHERE EXISTS (SELECT FROM b WHERE a.b && b.b AND a.kind > 4 AND b.id % 5 = 1)',
  'SELECT a.id FROM a WHERE EXISTS (SELECT FROM none WHERE a.b && none.b)',
  'SELECT a.id FROM a WHERE NOT EXISTS (SELECT FROM b WHERE a.b && b.b AND a.kind > 4 AND b.id % 3 = 1)',
  'SELECT a.id FROM a WHERE NOT EXISTS (SELECT FROM b WHERE a.b && b.b AND a.n = b.kind) AND a.b IS NULL',
  'SELECT a.id FROM a WHERE NOT EXISTS (SELECT FROM none WHERE a.b && none.b)',
  'SELECT a.id FROM a WHERE NOT EXISTS (SELECT FROM a x WHERE a.b && x.b AND a.id <> x.id)']) q;

-- What is computed below an outer join, of the side that may be missing, is not left to the trees.
SELECT q, (joined(q)).* FROM unnest(ARRAY[
  'SELECT a.id, x.k FROM a LEFT JOIN (SELECT *, coalesce(n, 99) AS k FROM b) x ON a.b && x.b',
  'SELECT a.id, x.k FROM a LEFT JOIN (SELECT b.b, 1 AS k FROM b) x ON a.b && x.b WHERE x.k IS NULL',
  'SELECT a.id, x.id FROM a LEFT JOIN (SELECT * FROM b WHERE kind > 2) x ON a.b && x.b']) q;

-- As a part of other plans; run again, stopped, and run again; with parameters; a margin that is NULL.
SELECT q, (joined(q)).rows, (joined(q)).same FROM unnest(ARRAY[
  'SELECT a.id, b.id, c.id FROM a LEFT JOIN b ON a.b && b.b LEFT JOIN b c ON c.b @> a.b AND c.kind = b.kind WHERE a.id < 900',
  'SELECT c.id, x.* FROM b c LEFT JOIN (SELECT a.id AS i, b.id AS j FROM a LEFT JOIN b ON a.b && b.b AND b.kind = 4) x ON x.i = c.id',
  'SELECT a.id, count(b.id) FROM a LEFT JOIN b ON a.b && b.b GROUP BY a.id',
  'SELECT k, (SELECT count(b.id) || '' '' || count(*) FROM a LEFT JOIN b ON a.b && b.b AND b.kind = k WHERE a.n = k) FROM generate_series(0, 6) k',
  'SELECT k, (SELECT count(*) FROM a WHERE NOT EXISTS (SELECT FROM b WHERE a.b && b.b AND b.kind > k)) FROM generate_series(0, 9, 3) k',
  'SELECT k, x.* FROM generate_series(0, 5) k, LATERAL (SELECT count(*) FROM (SELECT FROM a JOIN b ON a.b && b.b AND a.kind >= k - 5 LIMIT CASE k % 2 WHEN 0 THEN 100 + k END) y) x',
  'SELECT k, x.* FROM generate_series(0, 5) k, LATERAL (SELECT count(*) FROM (SELECT FROM a LEFT JOIN b ON a.b && b.b AND a.kind >= k - 5 LIMIT CASE k % 2 WHEN 0 THEN 100 + k END) y) x',
  'SELECT k, x.* FROM generate_series(0, 5) k, LATERAL (SELECT count(*) FROM (SELECT FROM a WHERE EXISTS (SELECT FROM b WHERE a.b && b.b AND a.kind >= k - 5) LIMIT CASE k % 2 WHEN 0 THEN 30 + k END) y) x']) q;
CREATE TABLE p AS SELECT id, CASE WHEN id % 11 > 0 THEN point(id % 60, id * 7 % 53) END AS p FROM generate_series(1, 400) id;
CREATE INDEX p_p ON p USING xtree (p);
ANALYZE p;
SELECT q, (joined(q)).* FROM unnest(ARRAY['SELECT x.id, y.id FROM p x LEFT JOIN p y ON x.p <-> y.p < 1.5 AND x.id <> y.id', 'SELECT x.id, y.id FROM p x LEFT JOIN p y ON x.p <-> y.p < NULL::float8',
  'SELECT x.id, y.id FROM p x LEFT JOIN p y ON x.p <-> y.p < (SELECT NULL::float8)', 'SELECT x.id FROM p x WHERE NOT EXISTS (SELECT FROM p y WHERE x.p <-> y.p <= 1 AND x.id <> y.id)',
  'SELECT p.id, a.id FROM p LEFT JOIN a ON p.p <@ a.b']) q;
PREPARE missing(int, int) AS SELECT count(*), sum(a.id) FROM a WHERE NOT EXISTS (SELECT FROM b WHERE a.b && b.b AND b.kind > $1) AND a.kind < $2;
SET plan_cache_mode = force_generic_plan;
SET enable_nestloop = off; SET enable_hashjoin = off; SET enable_mergejoin = off;
SELECT explain_plan('EXECUTE missing(3, 5)');
EXECUTE missing(3, 5);
EXECUTE missing(3, NULL);
EXECUTE missing(NULL, 5);
SET xtree.enable_tree_join = off;
EXECUTE missing(3, 5);
EXECUTE missing(3, NULL);
EXECUTE missing(NULL, 5);
RESET xtree.enable_tree_join;
RESET plan_cache_mode;

-- Many partners of few rows: batches end within a leaf. A semi join stops looking.
CREATE TABLE many AS SELECT g AS id, box(point(g % 100, g % 89), point(g % 100 + 1, g % 89 + 1)) AS b FROM generate_series(1, 20000) g;
CREATE TABLE few AS SELECT g AS id, CASE WHEN g % 5 > 0 THEN box(point(-g, -g), point(CASE WHEN g % 3 > 0 THEN 200 ELSE -1 END, 200)) END AS b FROM generate_series(1, 24) g;
CREATE INDEX many_b ON many USING xtree (b);
CREATE INDEX few_b ON few USING xtree (b);
ANALYZE many, few;
SELECT q, (joined(q)).* FROM unnest(ARRAY['SELECT few.id, many.id FROM few LEFT JOIN many ON few.b && many.b', 'SELECT few.id, many.id FROM few LEFT JOIN many ON few.b && many.b AND many.id < few.id',
  'SELECT few.id, many.id FROM many RIGHT JOIN few ON few.b && many.b AND many.id = 20000 - few.id',
  'SELECT few.id FROM few WHERE EXISTS (SELECT FROM many WHERE few.b && many.b)', 'SELECT few.id FROM few WHERE EXISTS (SELECT FROM many WHERE few.b && many.b AND many.id = 20000 - few.id)',
  'SELECT few.id FROM few WHERE NOT EXISTS (SELECT FROM many WHERE few.b && many.b AND many.id = 20000 - few.id * 2)',
  'SELECT many.id, few.id FROM many LEFT JOIN few ON few.b && many.b AND few.id = 7 AND many.id % 3 = 0',
  'SELECT many.id FROM many WHERE NOT EXISTS (SELECT FROM few WHERE few.b @> many.b AND few.id + many.id < 10000)']) q;
SET xtree.enable_lookup_join = off;
SELECT (regexp_match(line, 'Right Rows Fetched: (\d+)'))[1]::int < 1000 AS few FROM explain_analyze('SELECT few.id FROM few WHERE EXISTS (SELECT FROM many WHERE few.b && many.b)') line WHERE line ~ 'Right Rows Fetched';

-- Keys alone, of rows that all can see; rows that are gone, and those that others have not committed.
VACUUM a, b;
SELECT line FROM explain_analyze('SELECT a.b, b.b FROM a LEFT JOIN b ON a.b && b.b WHERE a.n = 1') line WHERE line ~ 'Fetched|Type';
SELECT q, (joined(q)).* FROM unnest(ARRAY['SELECT a.b, a.n, b.b FROM a LEFT JOIN b ON a.b && b.b AND b.kind < 6', 'SELECT a.b FROM a WHERE EXISTS (SELECT FROM b WHERE a.b && b.b)',
  'SELECT a.n FROM a WHERE NOT EXISTS (SELECT FROM b WHERE a.b && b.b AND a.n < b.kind)', 'SELECT few.b, many.b FROM few LEFT JOIN many ON few.b && many.b']) q;
BEGIN;
DELETE FROM a WHERE id % 5 = 0;
UPDATE b SET kind = 1 WHERE id % 7 = 0;
DELETE FROM b WHERE id % 3 = 0;
SELECT q, (joined(q)).* FROM unnest(ARRAY['SELECT a.b, a.n, b.kind FROM a LEFT JOIN b ON a.b && b.b', 'SELECT a.b FROM a WHERE EXISTS (SELECT FROM b WHERE a.b && b.b)',
  'SELECT a.n, a.id FROM a WHERE NOT EXISTS (SELECT FROM b WHERE a.b && b.b)']) q;
ROLLBACK;

-- Cursors, while the tables change; rows are locked, updated and deleted.
CREATE FUNCTION left_rest_of(c refcursor, OUT rows int, OUT different int) LANGUAGE plpgsql AS $$
DECLARE row record; seen text[] := ARRAY[]::text[];
BEGIN
  LOOP
    FETCH c INTO row;
    EXIT WHEN NOT FOUND;
    seen := seen || row::text;
  END LOOP;
  SELECT count(*), count(DISTINCT i) INTO rows, different FROM unnest(seen) i;
END $$;
SELECT count(*), count(*) - count(b.id) AS missing FROM a LEFT JOIN b ON a.b && b.b AND a.kind = 4;
BEGIN;
DECLARE outer_join CURSOR FOR SELECT a.id, b.id FROM a LEFT JOIN b ON a.b && b.b AND a.kind = 4;
MOVE 1 FROM outer_join;
DECLARE anti_join CURSOR FOR SELECT a.id FROM a WHERE NOT EXISTS (SELECT FROM b WHERE a.b && b.b AND a.kind = 4);
MOVE 1 FROM anti_join;
DELETE FROM a WHERE id % 2 = 1;
UPDATE b SET b = box(point(0, 0), point(1, 1));
INSERT INTO a SELECT 10000 + i, 1, box(point(i, i), point(i + 1, i + 1)), 1 FROM generate_series(1, 3000) i;
SELECT * FROM left_rest_of('outer_join');
SELECT * FROM left_rest_of('anti_join');
ROLLBACK;
BEGIN;
SELECT count(*), count(j) FROM (SELECT a.id, b.id AS j FROM a LEFT JOIN b ON a.b ~= b.b WHERE a.id < 1000 FOR UPDATE OF a) x;
SELECT count(*) FROM (SELECT a.id FROM a WHERE EXISTS (SELECT FROM b WHERE a.b ~= b.b) FOR UPDATE) x;
UPDATE a SET kind = 99 WHERE NOT EXISTS (SELECT FROM b WHERE a.b && b.b);
SELECT count(*) FROM a WHERE kind = 99;
DELETE FROM b WHERE EXISTS (SELECT FROM a WHERE a.b @> b.b AND a.id <> b.id);
SELECT count(*) FROM b;
ROLLBACK;
SET xtree.enable_tree_join = off;
BEGIN;
UPDATE a SET kind = 99 WHERE NOT EXISTS (SELECT FROM b WHERE a.b && b.b);
SELECT count(*) FROM a WHERE kind = 99;
DELETE FROM b WHERE EXISTS (SELECT FROM a WHERE a.b @> b.b AND a.id <> b.id);
SELECT count(*) FROM b;
ROLLBACK;
RESET xtree.enable_tree_join;

-- In parallel: each left row is one process's.
SET max_parallel_workers_per_gather = 2; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET min_parallel_index_scan_size = 0;
SELECT q, substring(line FROM 'Parallel Custom Scan \(XtreeJoin\)') FROM unnest(ARRAY['SELECT count(*) FROM a LEFT JOIN b ON a.b && b.b', 'SELECT count(*) FROM a WHERE NOT EXISTS (SELECT FROM b WHERE a.b && b.b)']) q, explain_plan(q) line WHERE line ~ 'XtreeJoin';
SET max_parallel_workers_per_gather = 0;
PREPARE a1 AS SELECT count(*), count(b.id), sum(a.id::bigint * coalesce(b.id, 7)) FROM a LEFT JOIN b ON a.b && b.b;
PREPARE a2 AS SELECT count(*), sum(id) FROM a WHERE NOT EXISTS (SELECT FROM b WHERE a.b && b.b AND b.kind > 2);
PREPARE a3 AS SELECT count(*), sum(id) FROM a WHERE EXISTS (SELECT FROM b WHERE a.b && b.b AND b.kind > 2);
PREPARE a4 AS SELECT k, (SELECT count(*) FROM a LEFT JOIN b ON a.b && b.b AND b.kind = k) FROM generate_series(0, 2) k;
EXECUTE a1; EXECUTE a2; EXECUTE a3; EXECUTE a4;
DEALLOCATE ALL;
SET max_parallel_workers_per_gather = 2;
PREPARE a1 AS SELECT count(*), count(b.id), sum(a.id::bigint * coalesce(b.id, 7)) FROM a LEFT JOIN b ON a.b && b.b;
PREPARE a2 AS SELECT count(*), sum(id) FROM a WHERE NOT EXISTS (SELECT FROM b WHERE a.b && b.b AND b.kind > 2);
PREPARE a3 AS SELECT count(*), sum(id) FROM a WHERE EXISTS (SELECT FROM b WHERE a.b && b.b AND b.kind > 2);
PREPARE a4 AS SELECT k, (SELECT count(*) FROM a LEFT JOIN b ON a.b && b.b AND b.kind = k) FROM generate_series(0, 2) k;
EXECUTE a1; EXECUTE a2; EXECUTE a3; EXECUTE a4;
DEALLOCATE ALL;
RESET max_parallel_workers_per_gather; RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET min_parallel_table_scan_size; RESET min_parallel_index_scan_size;
RESET enable_nestloop; RESET enable_hashjoin; RESET enable_mergejoin;

-- Partitions; partial indexes on either side, where the query asks for their rows only: a condition of the join is none of the left table's.
CREATE TABLE parts (id int, k int, b box) PARTITION BY LIST (k);
CREATE TABLE parts_0 PARTITION OF parts FOR VALUES IN (0);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1);
INSERT INTO parts SELECT id, id % 2, b FROM a;
CREATE INDEX parts_b ON parts USING xtree (b);
CREATE TABLE half AS SELECT id, b, id % 2 = 0 AS live FROM a;
CREATE INDEX half_b ON half USING xtree (b) WHERE live;
ANALYZE parts, half;
SET enable_partitionwise_join = on;
SELECT q, (joined(q)).* FROM unnest(ARRAY['SELECT x.id, y.id, y.* FROM parts x LEFT JOIN parts y ON x.k = y.k AND x.b && y.b AND x.id < y.id',
  'SELECT x.id, y.id FROM parts x LEFT JOIN parts y ON x.k = y.k AND x.b ~= y.b AND x.id % 3 = y.id % 3 WHERE coalesce(y.id, 1) % 2 = 1',
  'SELECT x.id FROM parts x WHERE NOT EXISTS (SELECT FROM parts y WHERE x.k = y.k AND x.b && y.b AND x.id < y.id)']) q;
RESET enable_partitionwise_join;
SELECT q, (joined(q)).* FROM unnest(ARRAY['SELECT x.id, y.id FROM half x LEFT JOIN a y ON x.b && y.b WHERE x.live AND x.id < 900', 'SELECT x.id, y.id FROM half x LEFT JOIN a y ON x.b && y.b AND x.live WHERE x.id < 900',
  'SELECT y.id, x.id FROM a y LEFT JOIN half x ON x.b && y.b AND x.live WHERE y.id < 900', 'SELECT x.id FROM half x WHERE NOT EXISTS (SELECT FROM a y WHERE x.b && y.b AND x.live AND x.id <> y.id)']) q;

-- Rows that have partners on nearly every leaf: a semi or anti join looks at a few of them, not at all leaves for each.
CREATE TABLE dense (id int, p point, r int4range);
INSERT INTO dense SELECT i, point(i * 7919 % 10007, i * 104729 % 10009), int4range(i % 10, i % 10 + 5) FROM generate_series(1, 4000) i;
CREATE INDEX dense_pr ON dense USING xtree (p, r) WITH (fillfactor = 10);
VACUUM ANALYZE dense;
CREATE FUNCTION right_nodes(query text) RETURNS int LANGUAGE plpgsql AS $$
DECLARE plan json; BEGIN EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, FORMAT JSON) ' || query INTO plan; RETURN jsonb_path_query_first(plan::jsonb, '$.**."Right Nodes"')::int; END $$;
SET enable_nestloop = off; SET enable_seqscan = off;
SELECT q, n.of_semi < n.of_all / 8 AS fewer, (joined(q)).* FROM unnest(ARRAY['EXISTS', 'NOT EXISTS']) exist,
  LATERAL (SELECT format('SELECT x.id FROM dense x WHERE %s (SELECT FROM dense y WHERE x.r && y.r AND x.id <> y.id)', exist) AS q) q,
  LATERAL (SELECT right_nodes('SELECT count(*) FROM dense x JOIN dense y ON x.r && y.r AND x.id <> y.id') AS of_all, right_nodes(q) AS of_semi) n;
RESET enable_nestloop; RESET enable_seqscan;

SELECT xtree_check(i, true) FROM unnest(ARRAY['a_b', 'b_b', 'a_r', 'b_r', 'none_b', 'p_p', 'many_b', 'few_b', 'half_b', 'parts_0_b_idx', 'parts_1_b_idx', 'dense_pr']::regclass[]) i;
DROP TABLE a, b, none, p, many, few, parts, half, special, dense;
DROP FUNCTION left_rest_of, right_nodes;
