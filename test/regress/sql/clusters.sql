-- Vectors in clusters: nearest neighbours by codes as by a scan of the table, with conditions on other columns of the index, exact and approximate; what is
-- inserted, deleted and NULL; indexes that begin empty; and the model's pages.
-- Seen to fail: without the rounding of codes taken off their bounds, with the rows that did not fit the memory forgotten, and with a code of the row before.

SET extra_float_digits = 1;
CREATE TABLE docs (id int, tenant int, price float8, v real[]) WITH (autovacuum_enabled = off);
-- 40 clusters of 48 dimensions.
INSERT INTO docs
SELECT g, g % 10, (g * 7919) % 1000, (SELECT array_agg((sin((g % 40) * 12.9898 + d * 78.233) + 0.3 * sin(g * 3.7 + d * 1.1))::real ORDER BY d)
                                      FROM generate_series(1, 48) d)
FROM generate_series(1, 4000) g;
INSERT INTO docs SELECT -n, n % 3, n, v FROM (SELECT n, CASE n WHEN 1 THEN NULL
  WHEN 2 THEN array_fill(0::real, '{48}') WHEN 3 THEN array_fill('NaN'::real, '{48}') WHEN 4 THEN array_fill('Infinity'::real, '{48}')
  WHEN 5 THEN array_fill(3e38::real, '{48}') WHEN 6 THEN array_fill(1e-45::real, '{48}') WHEN 7 THEN array_fill(1e6::real, '{48}')
  WHEN 8 THEN array_fill(1e6::real, '{48}') END v FROM generate_series(1, 9) n) x;
CREATE INDEX docs_v ON docs USING xtree (v, tenant, price) WITH (clusters = 32);
VACUUM ANALYZE docs;
SELECT xtree_check('docs_v', true);

-- Versions print subqueries in different words.
CREATE FUNCTION origin() RETURNS real[] STABLE LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT v FROM docs WHERE id = 17); END $$;
SET enable_seqscan = off;
SELECT explain_plan('SELECT id FROM docs ORDER BY v <-> origin() LIMIT 5');
SELECT explain_plan('SELECT id FROM docs WHERE tenant = 7 AND price < 100 ORDER BY v <=> origin() LIMIT 5');
SELECT id, round((v <-> (SELECT v FROM docs WHERE id = 17))::numeric, 4) AS distance FROM docs
ORDER BY v <-> (SELECT v FROM docs WHERE id = 17) LIMIT 3;
RESET enable_seqscan;

-- Every distance, from ordinary and peculiar vectors, with and without conditions.
CREATE VIEW origins AS SELECT v::text AS value FROM docs WHERE v IS NOT NULL AND (id < 0 OR id IN (17, 500, 2999));
SELECT op, count(*) AS queries, sum(rows) AS rows, bool_and(same) AS same, string_agg(DISTINCT nodes, ' ') AS nodes
FROM origins, unnest('{<->, <+>, <#>, <=>}'::text[]) op,
  agree(format('SELECT v %1$s %2$L FROM docs WHERE v IS NOT NULL ORDER BY v %1$s %2$L', op, value))
GROUP BY op ORDER BY op;
SELECT op, count(*) AS queries, sum(rows) AS rows, bool_and(same) AS same, string_agg(DISTINCT nodes, ' ') AS nodes
FROM origins, unnest('{<->, <+>, <#>, <=>}'::text[]) op,
  agree(format('SELECT v %1$s %2$L FROM docs WHERE tenant IN (1, 2, 7) AND price BETWEEN 100 AND 400 ORDER BY v %1$s %2$L LIMIT 20', op, value))
GROUP BY op ORDER BY op;
SELECT (agree($$SELECT v <-> array_fill(0.1::real, '{48}') FROM docs ORDER BY v <-> array_fill(0.1::real, '{48}')$$)).*;
SELECT (agree($$SELECT v <-> NULL, id FROM docs ORDER BY v <-> NULL, id$$)).*;
-- Within a distance; windows; conditions alone.
SELECT explain_plan($$SELECT id FROM docs WHERE v <=> origin() < 0.1 ORDER BY v <=> origin()$$);
SELECT op, at, sum(rows) AS rows, bool_and(same) AS same, string_agg(DISTINCT nodes, ' ') AS nodes
FROM origins, (VALUES ('<->', 4.9), ('<->', 0), ('<+>', 12), ('<#>', -5), ('<#>', 1), ('<=>', 0.3)) d (op, at),
  agree(format('SELECT id FROM docs WHERE v %1$s %2$L < %3$s', op, value, at)) GROUP BY op, at ORDER BY op, at;
SELECT op, at, sum(rows) AS rows, bool_and(same) AS same, string_agg(DISTINCT nodes, ' ') AS nodes
FROM origins, (VALUES ('<->', 4.9), ('<+>', 12), ('<#>', -5), ('<=>', 0.3)) d (op, at),
  agree(format('SELECT v %1$s %2$L FROM docs WHERE v %1$s %2$L <= %3$s AND tenant < 8 ORDER BY v %1$s %2$L', op, value, at)) GROUP BY op, at ORDER BY op, at;
SELECT (agree($$SELECT id FROM docs WHERE v <@ xtree_window(array_fill(-1::float8, '{48}'), array_fill(1.2::float8, '{48}'))$$)).*;
SELECT (agree($$SELECT id, price FROM docs WHERE tenant = 3 AND price < 50$$)).*;
SELECT (agree($$SELECT id FROM docs WHERE v IS NULL$$)).*;

-- The order is by a distance from NULL, and there is a limit of another.
PREPARE from_nothing(real[], real[]) AS SELECT id FROM docs WHERE v <-> $2 < 3 ORDER BY v <-> $1 LIMIT 1000;
SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET enable_sort = off;
SELECT explain_plan($$EXECUTE from_nothing(NULL, origin())$$);
CREATE TABLE from_nothing AS EXECUTE from_nothing(NULL, origin());
RESET plan_cache_mode; RESET enable_seqscan; RESET enable_sort;
SELECT count(*), count(*) FILTER (WHERE v <-> origin() < 3), (SELECT count(*) FROM docs WHERE v <-> origin() < 3) FROM from_nothing JOIN docs USING (id);
DROP TABLE from_nothing;

-- With memory for a few of the rows that wait.
SET work_mem = '64kB';
SELECT (agree($$SELECT v <-> array_fill(0.1::real, '{48}') FROM docs WHERE v IS NOT NULL ORDER BY v <-> array_fill(0.1::real, '{48}')$$)).*;
RESET work_mem;

-- Approximate: few clusters first, but whoever asks gets all rows; and as many as LIMIT says, whatever the conditions leave.
SET enable_seqscan = off;
SET enable_sort = off;
SET xtree.probes = 1;
SELECT count(*), count(DISTINCT id) FROM (SELECT id FROM docs ORDER BY v <-> array_fill(0.1::real, '{48}') OFFSET 0) x;
SELECT count(*) FROM (SELECT id FROM docs WHERE tenant = 4 AND price < 20 ORDER BY v <-> array_fill(0.1::real, '{48}') LIMIT 5) x;
SET xtree.probes = 4;
SELECT avg(found) > 0.8 AS most_are_found FROM (
  SELECT (SELECT count(*) FROM (SELECT id FROM docs WHERE v IS NOT NULL ORDER BY v <-> q.v LIMIT 10) a WHERE id = ANY (q.ids)) / 10.0 AS found
  FROM (SELECT o.v, (SELECT array_agg(id) FROM (SELECT id FROM docs d, LATERAL (SELECT sqrt(sum((a - b) ^ 2)) AS distance FROM unnest(d.v, o.v) u(a, b)) e
                                                WHERE d.id > 0 ORDER BY distance LIMIT 10) n) AS ids
        FROM docs o WHERE o.id IN (11, 222, 3333)) q) r;
RESET xtree.probes;
SET xtree.search_epsilon = 0.2;
SELECT count(*), count(DISTINCT id) FROM (SELECT id FROM docs ORDER BY v <=> array_fill(0.1::real, '{48}') OFFSET 0) x;
RESET xtree.search_epsilon;
SET xtree.recall_target = 0.9;
SELECT count(*), count(DISTINCT id) FROM (SELECT id FROM docs ORDER BY v <#> array_fill(0.1::real, '{48}') OFFSET 0) x;
RESET xtree.recall_target;
RESET enable_seqscan;
RESET enable_sort;

-- Rows that come and go.
INSERT INTO docs SELECT id + 5000, tenant, price, v FROM docs WHERE id % 4 = 1;
UPDATE docs SET price = price + 1 WHERE id % 5 = 2;
DELETE FROM docs WHERE id % 3 = 0;
SELECT xtree_check('docs_v', true);
VACUUM docs;
SELECT xtree_check('docs_v', true);
SELECT op, bool_and(same) AS same
FROM origins, unnest('{<->, <+>, <#>, <=>}'::text[]) op,
  agree(format('SELECT v %1$s %2$L FROM docs WHERE v IS NOT NULL ORDER BY v %1$s %2$L LIMIT 200', op, value))
GROUP BY op ORDER BY op;
INSERT INTO docs VALUES (1, 1, 1, '{1,2,3}');
SELECT id FROM docs ORDER BY v <-> '{1,2,3}' LIMIT 1;
REINDEX INDEX docs_v;
SELECT xtree_check('docs_v', true);

-- An index of few dimensions may be one of clusters, and one of many a tree as far as it goes.
CREATE TABLE small (id int, d float8[]);
INSERT INTO small SELECT g, ARRAY[sin(g), cos(g * 1.3), g % 10, (g % 7) / 7.0] FROM generate_series(1, 2000) g;
INSERT INTO small (d) SELECT x::float8[] FROM unnest(ARRAY[
  '{0,0,0,0}', '{-0,0,-0,1}', '{NaN,0,0,0}', '{NaN,NaN,NaN,NaN}', '{Infinity,0,0,0}', '{-Infinity,Infinity,0,0}',
  '{5e-324,0,0,0}', '{1e300,-1e300,0,0}', '{1e160,0,0,0}', '{1e154,1e154,0,0}', '{0.1,0.2,0.3,0.4}',
  '{9007199254740993,9007199254740992,1,1}', '{0,NaN,0,Infinity}', '{1e-170,0,0,0}', NULL]) x;
CREATE INDEX small_clusters ON small USING xtree (d) INCLUDE (id) WITH (structure = clusters);
VACUUM ANALYZE small;
SELECT op, count(*) AS queries, bool_and(same) AS same, string_agg(DISTINCT nodes, ' ') AS nodes
FROM small, unnest('{<->, <+>, <#>, <=>}'::text[]) op,
  agree(format('SELECT d %1$s %2$L::float8[] FROM small WHERE d IS NOT NULL ORDER BY d %1$s %2$L::float8[]', op, d))
WHERE d IS NOT NULL AND (id IS NULL OR id % 700 = 7) GROUP BY op ORDER BY op;
SELECT xtree_check('small_clusters', true);
CREATE INDEX docs_tree ON docs USING xtree (v) WITH (structure = tree);
DROP INDEX docs_tree;
CREATE INDEX docs_wrong ON docs USING xtree (v) WITH (structure = forest);

-- From nothing: the first row decides the dimensions and how codes are scaled.
CREATE TABLE growing (id int, v real[]);
CREATE INDEX growing_v ON growing USING xtree (v);
CREATE INDEX growing_dims ON growing USING xtree (v float4_vector_ops (dims = 48));
SELECT xtree_check('growing_v', true);
INSERT INTO growing SELECT id, v FROM docs WHERE id > 0 AND id % 2 = 0;
INSERT INTO growing SELECT id, v FROM docs WHERE id < 0;
INSERT INTO growing VALUES (0, '{1}');
SELECT indexrelid::regclass, xtree_check(indexrelid, true) FROM pg_index WHERE indrelid = 'growing'::regclass ORDER BY 1;
DROP INDEX growing_dims;
SELECT op, bool_and(same) AS same, string_agg(DISTINCT nodes, ' ') AS nodes
FROM origins, unnest('{<->, <+>, <#>, <=>}'::text[]) op,
  agree(format('SELECT v %1$s %2$L FROM growing WHERE v IS NOT NULL ORDER BY v %1$s %2$L LIMIT 100', op, value))
GROUP BY op ORDER BY op;

-- A first row without a vector, where the parameter says the number of dimensions, or nothing does; one of another number.
CREATE TABLE awaiting (id int, v real[]);
CREATE INDEX awaiting_dims ON awaiting USING xtree (v float4_vector_ops (dims = 48));
INSERT INTO awaiting VALUES (0, array_fill(1::real, '{30}'));
INSERT INTO awaiting VALUES (1, NULL);
INSERT INTO awaiting SELECT id, v FROM docs WHERE id % 5 = 0;
SELECT (agree($$SELECT v <-> array_fill(0.1::real, '{48}') FROM awaiting ORDER BY v <-> array_fill(0.1::real, '{48}') LIMIT 100$$)).*;
SELECT clusters, dimensions FROM xtree_cluster_info('awaiting_dims');
SELECT xtree_check('awaiting_dims', true);
TRUNCATE awaiting;
CREATE INDEX awaiting_v ON awaiting USING xtree (v);
INSERT INTO awaiting VALUES (1, NULL);

-- Nothing but NULL; nothing but one value; deferred.
CREATE TABLE alike (id int, v real[]);
INSERT INTO alike SELECT g FROM generate_series(1, 10) g;
CREATE INDEX alike_null ON alike USING xtree (v float4_vector_ops (dims = 48));
SELECT (agree($$SELECT v <-> array_fill(0.1::real, '{48}') FROM alike ORDER BY v <-> array_fill(0.1::real, '{48}')$$)).*;
SELECT xtree_check('alike_null', true);
DROP INDEX alike_null;
UPDATE alike SET v = array_fill(0.5::real, '{48}');
CREATE INDEX alike_v ON alike USING xtree (v) WITH (build = deferred);
SELECT explain_plan('SELECT id FROM alike ORDER BY v <-> array_fill(0.1::real, ''{48}'') LIMIT 3');
CALL xtree_build('alike_v');
SELECT (agree($$SELECT v <-> array_fill(0.1::real, '{48}') FROM alike ORDER BY v <-> array_fill(0.1::real, '{48}')$$)).*;
SELECT xtree_check('alike_v', true);

DROP VIEW origins;
DROP FUNCTION origin;
DROP TABLE docs, small, growing, awaiting, alike;
