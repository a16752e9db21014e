-- Scans in which several processes share an index: plain, index-only and ordered ones, each row once, in order where there is one. How many processes
-- come does not matter for the answers; the unit tests show that they share (ScanTeam).
SET client_min_messages = warning;
CREATE TABLE shared (id int, p point, a box, n int, t text);
INSERT INTO shared SELECT i, CASE WHEN i % 97 <> 0 THEN point(i::int8 * 7919 % 1000, i::int8 * 104729 % 997) END,
  CASE WHEN i % 89 <> 0 THEN box(point(i % 1000, i % 991), point(i % 1000 + 3, i % 991 + 2)) END, i % 1000, 'row ' || i
  FROM generate_series(1, 40000) i;
CREATE INDEX shared_p ON shared USING xtree (p);
CREATE INDEX shared_a ON shared USING xtree (a, n);
VACUUM ANALYZE shared;

CREATE FUNCTION in_parallel(parallel bool) RETURNS void LANGUAGE sql AS $$
  SELECT set_config(name, value, false) FROM (VALUES
    ('max_parallel_workers_per_gather', CASE WHEN parallel THEN '3' ELSE '0' END),
    ('parallel_setup_cost', '0'), ('parallel_tuple_cost', '0'), ('min_parallel_table_scan_size', '0'), ('min_parallel_index_scan_size', '0'),
    ('enable_seqscan', 'off'), ('enable_bitmapscan', 'off'), ('enable_sort', 'off'), ('cpu_tuple_cost', CASE WHEN parallel THEN '1' ELSE '0.01' END)) s(name, value)
$$;
-- What a query answers with other processes and without: rows, their digest, and whether they came in the same order.
CREATE FUNCTION answer(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text;
BEGIN
  EXECUTE 'SELECT count(*) || '' '' || coalesce(md5(string_agg(s::text, '','' ORDER BY s::text)), ''none'') FROM (' || query || ') s' INTO result;
  RETURN result;
END $$;
CREATE FUNCTION same(query text, node text) RETURNS TABLE (planned bool, same bool, rows bigint) LANGUAGE plpgsql AS $$
DECLARE alone text; together text; line text;
BEGIN
  PERFORM in_parallel(false);
  alone := answer(query);
  PERFORM in_parallel(true);
  planned := false;
  FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP planned := planned OR line ~ node; END LOOP;
  together := answer(query);
  same := alone = together;
  rows := split_part(together, ' ', 1);
  RETURN NEXT;
END $$;

-- Plans
SELECT in_parallel(true);
EXPLAIN (COSTS OFF) SELECT id FROM shared WHERE p <@ box '(100,100),(900,900)';
EXPLAIN (COSTS OFF) SELECT count(p) FROM shared WHERE p <@ box '(100,100),(900,900)';
EXPLAIN (COSTS OFF) SELECT id FROM shared ORDER BY p <-> point '(300,300)';

-- Windows
SELECT * FROM same($$SELECT id, t FROM shared WHERE p <@ box '(100,100),(900,900)'$$, 'Parallel Index Scan using shared_p');
SELECT * FROM same($$SELECT id FROM shared WHERE a && box '(100,100),(600,900)' AND n < 700$$, 'Parallel Index Scan using shared_a');
SELECT * FROM same($$SELECT id FROM shared WHERE a && box '(2000,2000),(3000,3000)'$$, 'Parallel Index Scan using shared_a');
SELECT * FROM same($$SELECT id FROM shared WHERE p IS NULL$$, 'Parallel Index Scan using shared_p');
SELECT * FROM same($$SELECT p FROM shared WHERE p <@ box '(100,100),(900,900)'$$, 'Parallel Index Only Scan using shared_p');
SELECT * FROM same($$SELECT id FROM shared WHERE p <@ circle '<(500,500),300>'$$, 'Parallel Index Scan using shared_p');
SELECT * FROM same($$SELECT id FROM shared WHERE a && ANY (ARRAY[box '(0,0),(50,50)', box '(500,500),(900,900)'])$$, 'Parallel Index Scan using shared_a');

-- Joins: the scan is repeated for no row of another table, but hashed or looped over
SELECT * FROM same($$SELECT s.id, o.id FROM shared s JOIN shared o ON o.n = s.n AND o.id < 2000 WHERE s.p <@ box '(100,100),(300,300)' AND o.p <@ box '(0,0),(900,900)'$$,
  'Parallel Index Scan using shared_p');

-- The nearest: in order. Those of one distance may come in any order, so it is the distances that are compared.
CREATE FUNCTION same_order(origin point, condition text, most text) RETURNS TABLE (planned bool, same bool, rows bigint) LANGUAGE plpgsql AS $$
DECLARE alone float8[]; together float8[]; line text;
  query text := format('SELECT p <-> %L AS d FROM shared WHERE %s ORDER BY p <-> %L LIMIT %s', origin, condition, origin, most);
BEGIN
  PERFORM in_parallel(false);
  EXECUTE 'SELECT array_agg(d) FROM (' || query || ') s' INTO alone;
  PERFORM in_parallel(true);
  planned := false;
  FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP planned := planned OR line ~ 'Gather Merge'; END LOOP;
  EXECUTE 'SELECT array_agg(d) FROM (' || query || ') s' INTO together;
  same := alone = together;
  rows := cardinality(together);
  RETURN NEXT;
END $$;
SELECT * FROM same_order('(300,300)', 'true', 'ALL');
SELECT * FROM same_order('(300,300)', 'true', '10000');
SELECT * FROM same_order('(-5,2000)', 'p <@ box ''(200,200),(800,900)''', 'ALL');
SELECT * FROM same_order('(500,500)', 'n % 7 = 3', '500');
SELECT answer($$SELECT id FROM shared ORDER BY p <-> point '(300,300)'$$) = answer($$SELECT id FROM shared$$) AS each_once;

-- What workers could not compute is not asked of them: the origin is a parameter of an outer level.
SELECT in_parallel(true);
EXPLAIN (COSTS OFF) SELECT v.k, s.id FROM (VALUES (1, point '(100,100)'), (2, point '(700,300)')) v(k, x),
  LATERAL (SELECT id FROM shared ORDER BY p <-> v.x LIMIT 2) s;
SELECT v.k, round(s.d::numeric, 3) AS d FROM (VALUES (1, point '(100,100)'), (2, point '(700,300)')) v(k, x),
  LATERAL (SELECT p <-> v.x AS d FROM shared ORDER BY p <-> v.x LIMIT 2) s;
-- A cut-off by distance is.
SELECT * FROM same($$SELECT id FROM shared WHERE p <-> point '(500,500)' < 400$$, 'Parallel Index Scan using shared_p');
SELECT * FROM same_order('(300,300)', 'p <-> point ''(350,300)'' < 200', 'ALL');

-- A cursor that is left in the middle, and again
BEGIN;
DECLARE c CURSOR FOR SELECT id FROM shared WHERE p <@ box '(100,100),(900,900)';
MOVE 100 FROM c;
CLOSE c;
SELECT count(*) FROM (SELECT id FROM shared WHERE p <@ box '(100,100),(900,900)' LIMIT 10) s;
COMMIT;
PREPARE again(box) AS SELECT count(*) FROM shared WHERE p <@ $1;
EXECUTE again('(100,100),(900,900)');
EXECUTE again('(100,100),(200,200)');

SELECT xtree_check('shared_p', true), xtree_check('shared_a', true);
DROP TABLE shared;
DROP FUNCTION in_parallel, answer, same, same_order;
