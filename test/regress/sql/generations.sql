-- Clusters of an index whose table grows from nothing: VACUUM makes new ones for the rows that come, rows keep the ones that they have, and answers are
-- those of a scan of the table at every step. What fails while they are made; a table of few rows; columns of NULL.
-- Seen to fail: with an xtree_check that codes rows by the newest model alone.

SET extra_float_digits = 1;
CREATE FUNCTION vector_of(i int) RETURNS real[] IMMUTABLE LANGUAGE sql AS $$
  SELECT array_agg((sin((i % 50) * 12.9898 + d * 78.233) + 0.3 * sin(i * 3.7 + d * 1.1))::real ORDER BY d) FROM generate_series(1, 32) d $$;
CREATE TABLE grown (id int, tenant int, v real[]) WITH (autovacuum_enabled = off);
CREATE INDEX grown_v ON grown USING xtree (v, tenant);
CREATE FUNCTION grow(first int, last int) RETURNS void LANGUAGE sql AS $$ INSERT INTO grown SELECT i, i % 20, vector_of(i) FROM generate_series(first, last) i $$;
CREATE VIEW made AS SELECT generation, clusters, rows > 0 AS has_rows, trained_rows FROM xtree_cluster_info('grown_v') ORDER BY generation;

-- Versions print subqueries, and folded functions their digits, in different words.
CREATE FUNCTION origin() RETURNS real[] STABLE LANGUAGE plpgsql AS $$ BEGIN RETURN vector_of(77); END $$;

-- Every distance, from ordinary and peculiar vectors, with and without a condition, and within a distance.
CREATE TABLE origins AS SELECT vector_of(i) AS v FROM generate_series(3, 20003, 10000) i
  UNION ALL SELECT v FROM (VALUES (array_fill(0::real, '{32}')), (array_fill('NaN'::real, '{32}')), (array_fill(1e6::real, '{32}'))) x (v);
CREATE VIEW answers AS
SELECT op, sum(rows) > 0 AS rows, bool_and(same) AS same
FROM origins, unnest('{<->, <+>, <#>, <=>}'::text[]) op,
  unnest(ARRAY['v IS NOT NULL', 'tenant IN (3, 4) AND v IS NOT NULL', format('v %s %L < CASE %1$L WHEN ''<=>'' THEN 0.3 WHEN ''<+>'' THEN 10 ELSE 2.5 END', op, v)]) condition,
  agree(format('SELECT v %1$s %2$L FROM grown WHERE %3$s ORDER BY v %1$s %2$L LIMIT 30', op, v, condition))
GROUP BY op ORDER BY op;

INSERT INTO grown VALUES (0, 0, NULL), (-1, 1, array_fill(0::real, '{32}'));
SELECT grow(1, 1000);
VACUUM ANALYZE grown;
SELECT * FROM made;
SELECT grow(1001, 5000);
INSERT INTO grown VALUES (-2, 2, array_fill('NaN'::real, '{32}')), (-3, 3, array_fill(1e6::real, '{32}')), (-4, 4, array_fill('-Infinity'::real, '{32}'));
SELECT * FROM answers;
VACUUM ANALYZE grown;
SELECT * FROM made;
SELECT * FROM answers;
SELECT xtree_check('grown_v', true);

SELECT grow(5001, 10000);
INSERT INTO grown VALUES (-5, 2, array_fill('NaN'::real, '{32}')), (-6, 3, array_fill(1e6::real, '{32}')), (-7, 4, NULL), (-8, 5, array_fill(0::real, '{32}'));
VACUUM ANALYZE grown;
SELECT * FROM made;
SELECT * FROM answers;
SELECT xtree_check('grown_v', true);

SELECT grow(10001, 20500);
SELECT explain_plan('SELECT id FROM grown WHERE tenant = 7 ORDER BY v <-> origin() LIMIT 5');
VACUUM ANALYZE grown;
SELECT * FROM made;
SELECT grow(20501, 22000);
UPDATE grown SET tenant = tenant + 1 WHERE id % 7 = 3;
DELETE FROM grown WHERE id % 11 = 5;
SELECT * FROM answers;
SELECT xtree_check('grown_v', true);
VACUUM ANALYZE grown;
SELECT * FROM made;
SELECT * FROM answers;

-- All rows in their order.
SELECT (agree($$SELECT v <-> array_fill(0.1::real, '{32}') FROM grown ORDER BY v <-> array_fill(0.1::real, '{32}')$$)).*;
SET work_mem = '64kB';
SELECT (agree($$SELECT v <=> array_fill(0.1::real, '{32}') FROM grown WHERE v IS NOT NULL ORDER BY v <=> array_fill(0.1::real, '{32}')$$)).*;
RESET work_mem;

-- Approximate: as many rows as LIMIT says, all of them in the end, each once; and most of the nearest.
SET enable_seqscan = off;
SET enable_sort = off;
CREATE FUNCTION approximate(OUT rows bigint, OUT different bigint, OUT limited bigint, OUT filtered bigint) LANGUAGE plpgsql AS $$
BEGIN
  SELECT count(*), count(DISTINCT id) INTO rows, different FROM (SELECT id FROM grown WHERE v IS NOT NULL ORDER BY v <-> vector_of(77) OFFSET 0) x;
  SELECT count(*) INTO limited FROM (SELECT id FROM grown ORDER BY v <=> vector_of(77) LIMIT 500) x;
  SELECT count(*) INTO filtered FROM (SELECT id FROM grown WHERE tenant = 4 AND id % 100 = 4 ORDER BY v <#> vector_of(77) LIMIT 40) x;
END $$;
SELECT count(v) FROM grown;
SET xtree.probes = 1;
SELECT * FROM approximate();
SET xtree.probes = 12;
SELECT * FROM approximate();
SELECT recall > 0.8 AS found FROM xtree_recall('grown_v', 10, 20);
RESET xtree.probes;
SET xtree.search_epsilon = 0.1;
SELECT * FROM approximate();
RESET xtree.search_epsilon;
SET xtree.recall_target = 0.95;
SELECT * FROM approximate();
SELECT distance, recall > 0.85 AS found FROM unnest('{<->,<#>,<=>,<+>}'::text[]) distance, xtree_recall('grown_v', 10, 20, distance);
RESET xtree.recall_target;
RESET enable_seqscan;
RESET enable_sort;

-- REINDEX puts all rows into new clusters.
REINDEX INDEX grown_v;
SELECT generation, clusters, trained_rows BETWEEN 18000 AND 23000 AS trained FROM xtree_cluster_info('grown_v');
SELECT xtree_check('grown_v', true);

-- What fails in the index's expression is a warning, and VACUUM does the rest; as the table's owner, who may do nothing but this.
CREATE FUNCTION checked(v real[]) RETURNS real[] IMMUTABLE LANGUAGE plpgsql AS $$
BEGIN
  IF current_setting('generations.fails', true) = 'on' THEN RAISE EXCEPTION 'no vectors today' USING ERRCODE = '22000', DETAIL = 'Tomorrow.'; END IF;
  RETURN v;
END $$;
CREATE TABLE failing (id int, v real[]) WITH (autovacuum_enabled = off);
CREATE INDEX failing_v ON failing USING xtree (checked(v));
INSERT INTO failing SELECT id, v FROM grown WHERE id BETWEEN 1 AND 6000;
DELETE FROM failing WHERE id <= 100;
SET generations.fails = on;
VACUUM failing;
SELECT count(*) FROM xtree_cluster_info('failing_v');
SET generations.fails = off;
SELECT xtree_check('failing_v', true);
VACUUM failing;
SELECT generation, clusters > 1 AS divided FROM xtree_cluster_info('failing_v') ORDER BY generation;
INSERT INTO failing SELECT id, v FROM grown WHERE id BETWEEN 6001 AND 7000;
SELECT xtree_check('failing_v', true);
SELECT (agree($$SELECT checked(v) <-> array_fill(0.1::real, '{32}') FROM failing ORDER BY checked(v) <-> array_fill(0.1::real, '{32}') LIMIT 50$$)).*;

-- Vectors that are all alike, or none, teach nothing; the option says how many clusters.
CREATE TABLE alike (id int, v real[], w real[]) WITH (autovacuum_enabled = off);
CREATE INDEX alike_v ON alike USING xtree (v);
CREATE INDEX alike_w ON alike USING xtree (w) WITH (clusters = 3);
INSERT INTO alike SELECT i, array_fill(0.5::real, '{32}'), vector_of(i) FROM generate_series(1, 4500) i;
VACUUM (PARALLEL 0) alike;
SELECT index, generation, clusters FROM unnest('{alike_v, alike_w}'::regclass[]) index, xtree_cluster_info(index) ORDER BY 1, 2;
INSERT INTO alike SELECT i, array_fill('NaN'::real, '{32}'), vector_of(i) FROM generate_series(4501, 4600) i;
SELECT (agree($$SELECT v <-> array_fill(0.1::real, '{32}') FROM alike ORDER BY v <-> array_fill(0.1::real, '{32}')$$)).*;
SELECT (agree($$SELECT w <-> array_fill(0.1::real, '{32}') FROM alike ORDER BY w <-> array_fill(0.1::real, '{32}')$$)).*;
SELECT xtree_check('alike_v', true), xtree_check('alike_w', true);

DROP VIEW answers, made;
DROP TABLE grown, origins, failing, alike;
DROP FUNCTION origin, vector_of, grow, approximate, checked;
