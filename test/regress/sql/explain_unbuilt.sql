-- xtree.explain_unbuilt: EXPLAIN with deferred indexes as if they were built, and nothing else with them.
-- Seen to fail: with every planning beside an EXPLAIN taken for its own; with EXPLAIN ANALYZE not left out (an ERROR: the index is not built).
SET xtree.build_on_first_use = off;
SET max_parallel_workers_per_gather = 0;
SET jit = off;
CREATE TABLE late AS SELECT i AS id, point(hashint4(i) % 10000, hashint4(-i) % 10000) AS p FROM generate_series(1, 40000) i;
CREATE INDEX late_p ON late USING xtree (p) WITH (build = deferred);
ANALYZE late;
CREATE FUNCTION node_of(query text, options text DEFAULT 'FORMAT json', OUT node text, OUT cost float8) LANGUAGE plpgsql AS $$
DECLARE j json;
BEGIN
  EXECUTE 'EXPLAIN (' || options || ') ' || query INTO j;
  node := (SELECT string_agg(DISTINCT m[1], ', ') FROM regexp_matches(j::text, '"Node Type": "([^"]*Scan)"', 'g') m);
  cost := j->0->'Plan'->>'Total Cost';
END $$;

SELECT node FROM node_of($$SELECT id FROM late WHERE p <@ box '(0,0),(100,100)'$$);
SET xtree.explain_unbuilt = on;
SELECT node FROM node_of($$SELECT id FROM late WHERE p <@ box '(0,0),(100,100)'$$);
SELECT node FROM node_of($$SELECT id FROM late ORDER BY p <-> point '(5,5)' LIMIT 3$$);
SELECT node FROM node_of($$SELECT (SELECT count(*) FROM late b WHERE b.p <@ box '(0,0),(10,10)') FROM generate_series(1, 2)$$);
SELECT node FROM node_of($$WITH w AS MATERIALIZED (SELECT id FROM late WHERE p <@ box '(0,0),(100,100)') SELECT 1 FROM w UNION ALL SELECT id FROM late WHERE p <@ box '(0,0),(9,9)'$$);
SELECT node FROM node_of($$UPDATE late SET id = 0 WHERE p <@ box '(0,0),(100,100)'$$);
SET enable_seqscan = off;
EXPLAIN (COSTS off) SELECT id FROM late WHERE p <@ box '(0,0),(100,100)';

-- Nothing is run with it.
SELECT count(*) FROM late WHERE p <@ box '(0,0),(1000,1000)';
SELECT node FROM node_of($$SELECT id FROM late WHERE p <@ box '(0,0),(10,10)'$$, 'ANALYZE, FORMAT json');
SELECT explain_plan($$CREATE TABLE never AS SELECT id FROM late WHERE p <@ box '(0,0),(100,100)'$$);
SELECT node FROM node_of($$CREATE TEMP TABLE now AS SELECT id FROM late WHERE p <@ box '(0,0),(100,100)'$$, 'ANALYZE, FORMAT json');
SET plan_cache_mode = force_generic_plan;
PREPARE kept(box) AS SELECT count(*) FROM late WHERE p <@ $1;
SELECT explain_plan($$EXECUTE kept('(0,0),(1000,1000)')$$);
EXECUTE kept('(0,0),(1000,1000)');
-- a function that is called while an EXPLAIN is planned keeps its plan
CREATE FUNCTION counted(b box) RETURNS int8 LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN (SELECT count(*) FROM late WHERE p <@ b); END $$;
EXPLAIN (COSTS off) SELECT id FROM late WHERE p <@ box '(0,0),(100,100)' AND id < counted('(0,0),(1000,1000)');
SELECT counted('(0,0),(1000,1000)');
BEGIN;
DECLARE c CURSOR FOR SELECT count(*) FROM late WHERE p <@ box '(0,0),(1000,1000)';
FETCH c;
COMMIT;
-- nor after an EXPLAIN that fails
CREATE FUNCTION fails(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RAISE EXCEPTION 'failed'; END $$;
EXPLAIN SELECT id FROM late WHERE p <@ box '(0,0),(100,100)' AND id < fails(1);
SELECT count(*) FROM late WHERE p <@ box '(0,0),(1000,1000)';
RESET plan_cache_mode;
RESET enable_seqscan;

-- It stays unbuilt; and what it was said to cost is what it costs, but for rows that only the tree counts.
SET xtree.estimate_rows = off;
SET enable_bitmapscan = off;
SELECT build_state FROM xtree_index_info('late_p');
SELECT cost AS supposed FROM node_of($$SELECT id FROM late WHERE p <@ box '(0,0),(100,100)'$$) \gset
CALL xtree_build('late_p');
SELECT node, cost BETWEEN 0.7 * :supposed AND 1.4 * :supposed AS as_supposed FROM node_of($$SELECT id FROM late WHERE p <@ box '(0,0),(100,100)'$$);

RESET xtree.estimate_rows;
RESET enable_bitmapscan;

-- What cannot be built is not there.
CREATE TABLE unlike AS SELECT ARRAY[i, i]::float8[] AS v FROM generate_series(1, 5000) i;
CREATE INDEX unlike_v ON unlike USING xtree (v float8_vector_ops (dims = 2)) WITH (build = deferred);
INSERT INTO unlike VALUES ('{1,2,3}');
ANALYZE unlike;
SELECT node FROM node_of($$SELECT 1 FROM unlike ORDER BY v <-> '{1,2}'::float8[] LIMIT 1$$);
DELETE FROM unlike WHERE cardinality(v) = 3;
SELECT node FROM node_of($$SELECT 1 FROM unlike ORDER BY v <-> '{1,2}'::float8[] LIMIT 1$$);

DROP TABLE late, unlike;
DROP FUNCTION node_of, counted, fails;
