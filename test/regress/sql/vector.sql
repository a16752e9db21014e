-- Vectors, arrays of real and double precision: windows and nearest neighbours through the index as without it, the number of
-- dimensions from the parameter or the first row, and what is no vector.
-- Seen to fail: with 32-bit ordinals decoded wrongly by the vector kernel, with windows of real vectors rounded to real, with zero taken
-- for the nearest coordinate of a box, with the corner of the least product for that of the greatest, with a cosine over the greatest length,
-- and where the first row does not tell the meta page. (What sessions know of each other's first rows: specs/first_row.)

SET extra_float_digits = 1;
CREATE TABLE vectors (id int, r real[], d double precision[]) WITH (autovacuum_enabled = off);
INSERT INTO vectors SELECT g, ARRAY[sin(g), cos(g * 1.3), g % 10, (g % 7) / 7.0]::real[], ARRAY[sin(g), cos(g * 1.3), g % 10, (g % 7) / 7.0]
FROM generate_series(1, 2500) g;
INSERT INTO vectors (r) SELECT x::real[] FROM unnest(ARRAY[
  '{0,0,0,0}', '{-0,0,-0,1}', '{NaN,0,0,0}', '{NaN,NaN,NaN,NaN}', '{Infinity,0,0,0}', '{-Infinity,Infinity,0,0}',
  '{1e-45,0,0,0}', '{3.4e38,-3.4e38,0,0}', '{0.1,0.2,0.3,0.4}', '{16777216,16777217,1,1}', '{0,NaN,0,Infinity}', NULL]) x;
INSERT INTO vectors (d) SELECT x::float8[] FROM unnest(ARRAY[
  '{0,0,0,0}', '{-0,0,-0,1}', '{NaN,0,0,0}', '{NaN,NaN,NaN,NaN}', '{Infinity,0,0,0}', '{-Infinity,Infinity,0,0}',
  '{5e-324,0,0,0}', '{1e300,-1e300,0,0}', '{1e160,0,0,0}', '{1e154,1e154,0,0}', '{0.1,0.2,0.3,0.4}',
  '{9007199254740993,9007199254740992,1,1}', '{0,NaN,0,Infinity}', '{1e-170,0,0,0}']) x;
CREATE INDEX vectors_r ON vectors USING xtree (r);
CREATE INDEX vectors_d ON vectors USING xtree (d float8_vector_ops (dims = 4)) INCLUDE (id);
SELECT indexrelid::regclass, dimensions FROM pg_index, xtree_index_info(indexrelid) WHERE indrelid = 'vectors'::regclass AND level = 0 ORDER BY 1;
VACUUM ANALYZE vectors;

SET enable_seqscan = off;
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM vectors ORDER BY r <-> '{0,0,5,0.5}' LIMIT 5;
EXPLAIN (COSTS OFF) SELECT id FROM vectors ORDER BY d <+> '{0,0,5,0.5}' LIMIT 5;
EXPLAIN (COSTS OFF) SELECT id FROM vectors ORDER BY r <#> '{0,0,5,0.5}' LIMIT 5;
EXPLAIN (COSTS OFF) SELECT id FROM vectors ORDER BY d <=> '{0,0,5,0.5}' LIMIT 5;
EXPLAIN (COSTS OFF) SELECT id FROM vectors WHERE r <@ xtree_window('{-0.5,-0.5,2,0}', '{0.5,0.5,4,1}') ORDER BY r <-> '{0,0,5,0.5}';
EXPLAIN (COSTS OFF) SELECT id, d FROM vectors WHERE xtree_window('{-0.5,-0.5,2,0}', '{0.5,0.5,4,1}') @> d;
SELECT id, round((r <-> '{0,0,5,0.5}')::numeric, 6) AS l2 FROM vectors ORDER BY r <-> '{0,0,5,0.5}' LIMIT 3;
SELECT id, round((d <+> '{0,0,5,0.5}')::numeric, 6) AS l1 FROM vectors ORDER BY d <+> '{0,0,5,0.5}' LIMIT 3;
SELECT id, round((r <#> '{1,1,5,0.5}')::numeric, 5) AS inner_product FROM vectors WHERE id > 0 ORDER BY r <#> '{1,1,5,0.5}' LIMIT 3;
SELECT id, round((d <=> '{0,0,5,0.5}')::numeric, 6) AS cosine FROM vectors ORDER BY d <=> '{0,0,5,0.5}' LIMIT 3;
RESET enable_seqscan;
RESET enable_bitmapscan;

-- Every peculiar vector and some ordinary ones as query: the same distances in the same order, the same rows in windows around them.
CREATE TABLE queries AS
SELECT 'r' AS col, 'real[]' AS type, r::text AS value FROM vectors WHERE r IS NOT NULL AND (id IS NULL OR id % 600 = 7)
UNION ALL SELECT 'd', 'float8[]', d::text FROM vectors WHERE d IS NOT NULL AND (id IS NULL OR id % 600 = 7);
SELECT col, op, count(*) AS queries, bool_and(same) AS same, string_agg(DISTINCT nodes, ' ') AS nodes
FROM queries, unnest('{<->, <+>, <#>, <=>}'::text[]) op,
  agree(format('SELECT %1$I %2$s %3$L::%4$s FROM vectors WHERE %1$I IS NOT NULL ORDER BY %1$I %2$s %3$L::%4$s', col, op, value, type))
GROUP BY col, op ORDER BY col, op;
SELECT col, count(*) AS queries, sum(rows) AS rows, bool_and(same) AS same, string_agg(DISTINCT nodes, ' ') AS nodes
FROM queries, LATERAL (SELECT array_agg(x - 0.5 ORDER BY n) AS lower, array_agg(x + 0.5 ORDER BY n) AS upper
                       FROM unnest(value::float8[]) WITH ORDINALITY u(x, n)) bounds,
  agree(format('SELECT id, %I FROM vectors WHERE %1$I <@ xtree_window(%L, %L)', col, lower, upper))
GROUP BY col ORDER BY col;
SELECT col, count(*) AS queries, sum(rows) AS rows, bool_and(same) AS same
FROM queries, agree(format('SELECT id, %I FROM vectors WHERE %1$I <@ xtree_window(%L, %2$L)', col, value))
GROUP BY col ORDER BY col;
-- A bound between two values of real, no limit at all, none but for NaN, NaN itself, and a window inside out.
SELECT (agree($$SELECT r FROM vectors WHERE r <@ xtree_window('{0.1,-1,-1,-1}', '{0.1000000015,2,20,2}')$$)).*;
SELECT (agree($$SELECT r FROM vectors WHERE r <@ xtree_window('{-Infinity,-Infinity,-Infinity,-Infinity}', '{NaN,NaN,NaN,NaN}')$$)).*;
SELECT (agree($$SELECT d FROM vectors WHERE d <@ xtree_window('{-Infinity,-Infinity,-Infinity,-Infinity}', '{Infinity,Infinity,Infinity,Infinity}')$$)).*;
SELECT (agree($$SELECT d FROM vectors WHERE d <@ xtree_window('{NaN,-Infinity,-Infinity,-Infinity}', '{NaN,NaN,NaN,NaN}')$$)).*;
SELECT (agree($$SELECT d FROM vectors WHERE d <@ xtree_window('{1,1,1,1}', '{0,0,0,0}')$$)).*;
SELECT (agree($$SELECT id FROM vectors WHERE r IS NULL$$)).*;

-- Angles: of lengths whose squares are no numbers, and what has no direction.
SELECT a, b, a <=> b AS cosine, (a <=> b) = (b <=> a) AS both_ways, a <#> b AS inner_product
FROM (VALUES ('{1,0}', '{3,0}'), ('{1,0}', '{0,2}'), ('{1,0}', '{-5,0}'), ('{3,4}', '{4,3}'), ('{1e-170,1e-170}', '{1,0}'), ('{1e170,-1e170}', '{1e300,0}'), ('{5e-324,0}', '{1e308,1e308}'),
  ('{0,0}', '{1,0}'), ('{-0,0}', '{0,0}'), ('{NaN,1}', '{1,0}'), ('{Infinity,1}', '{1,0}'), ('{1,0}', '{-Infinity,1}')) v(a_text, b_text),
  LATERAL (SELECT a_text::float8[] AS a, b_text::float8[] AS b) t;
-- Cut-offs: negative ones too, at a row's distance and beside it, and none.
SET enable_seqscan = off;
SET enable_bitmapscan = off;
SELECT explain_plan($$SELECT id FROM vectors WHERE r <#> '{1,1,5,0.5}' < -46 ORDER BY r <#> '{1,1,5,0.5}' LIMIT 5$$);
RESET enable_seqscan;
RESET enable_bitmapscan;
SELECT op, count(*) AS cutoffs, sum(rows) AS rows, bool_and(same) AS same, string_agg(DISTINCT nodes, ' ') AS nodes
FROM (VALUES ('<#>'), ('<=>'), ('<->'), ('<+>')) o(op), unnest('{<, <=, =}'::text[]) sign, unnest('{r, d}'::text[]) col,
  unnest('{-3, -46, 0, 0.05, 1, 2, 9.5, NaN, Infinity, -Infinity}'::text[]) edge,
  agree(format('SELECT id, %I FROM vectors WHERE %1$I %2$s %3$L %4$s %5$L::float8', col, op, '{1,1,5,0.5}', sign, edge))
GROUP BY op ORDER BY op;
SELECT op, count(*) AS cutoffs, sum(rows) AS rows, bool_and(same) AS same
FROM queries, unnest('{<#>, <=>}'::text[]) op, unnest('{<, <=}'::text[]) sign,
  agree(format('SELECT id, %1$I FROM vectors WHERE %1$I %2$s %3$L::%4$s %5$s (SELECT %1$I %2$s %3$L FROM vectors WHERE id = 77)', col, op, value, type, sign))
GROUP BY op ORDER BY op;

-- Together with other columns.
CREATE INDEX vectors_mixed ON vectors USING xtree (id, r, d);
SELECT (agree($$SELECT r <-> '{0,0,5,0.5}' FROM vectors WHERE id BETWEEN 100 AND 300 AND d <@ xtree_window('{-1,-1,0,0}', '{1,1,8,1}')
  ORDER BY r <-> '{0,0,5,0.5}' LIMIT 20$$)).*;
SELECT (agree($$SELECT r <#> '{0,0,5,0.5}' FROM vectors WHERE id BETWEEN 100 AND 300 AND d <=> '{1,1,8,1}' < 0.2
  ORDER BY r <#> '{0,0,5,0.5}' LIMIT 20$$)).*;
SELECT (agree($$SELECT r <=> '{0,0,5,0.5}', d <#> '{1,2,3,4}' FROM vectors ORDER BY r <=> '{0,0,5,0.5}', d <#> '{1,2,3,4}' LIMIT 30$$)).*;
SELECT (agree($$SELECT r <+> '{0,0,5,0.5}' FROM vectors WHERE id IS NULL ORDER BY r <+> '{0,0,5,0.5}' LIMIT 8$$)).*;

-- What is no vector, and vectors of another length: in rows and in queries.
INSERT INTO vectors VALUES (1000, '{1,2,3}');
\set SHOW_CONTEXT never
INSERT INTO vectors VALUES (1000, '{}');
INSERT INTO vectors VALUES (1000, '{1,2,NULL,4}');
INSERT INTO vectors VALUES (1000, '{{1,2},{3,4}}');
INSERT INTO vectors VALUES (1000, '[0:3]={1,2,3,4}');
INSERT INTO vectors (id, d) VALUES (1000, '{1,2,3,4,5}');
UPDATE vectors SET r = r || 1::real WHERE id = 7;
CREATE INDEX vectors_two ON vectors USING xtree (d float8_vector_ops (dims = 2));
SELECT ('{1,2}'::real[]) <-> '{1,2,3}';
SELECT ('{1,2}'::float8[]) <#> '{1,2,3}';
SELECT ('{1,2}'::real[]) <=> '{1}';
SELECT ('{1,NULL}'::real[]) <+> '{1,2}';
SELECT ('{}'::float8[]) <-> '{}';
SELECT '{1,2}'::real[] <@ xtree_window('{0}', '{3}');
SELECT '{1,2}'::real[] <@ xtree_window('{0,0}', '{3}');
SELECT '{1,2}'::real[] <@ xtree_window('{0,0}', NULL);
SET enable_seqscan = off;
SELECT id FROM vectors WHERE id = 7 ORDER BY r <-> '{1,2,3}';
SELECT id FROM vectors WHERE r <@ xtree_window('{1,2}', '{3,4}');
RESET enable_seqscan;
CREATE INDEX ON vectors USING xtree (r float4_vector_ops (dims = 0));
CREATE INDEX ON vectors USING xtree (r float4_vector_ops (dims = 2001));
CREATE TABLE none (r real[], d float8[]);
CREATE INDEX ON none USING xtree (r float4_vector_ops (dims = 60), d float8_vector_ops (dims = 50)) WITH (structure = tree);
DROP TABLE none;
SELECT xtree_check('vectors_r', true), xtree_check('vectors_d', true), xtree_check('vectors_mixed', true);
DROP TABLE vectors, queries;

-- A hundred dimensions.
CREATE TABLE wide (id int, r real[], d float8[]);
INSERT INTO wide SELECT g, v, v FROM generate_series(1, 200) g, LATERAL (SELECT array_agg(sin(g * 0.1 + i * i)) AS v FROM generate_series(1, 100) i) s;
CREATE INDEX wide_r ON wide USING xtree (r);
CREATE INDEX wide_d ON wide USING xtree (d);
INSERT INTO wide SELECT g, v, v FROM generate_series(201, 500) g, LATERAL (SELECT array_agg(sin(g * 0.1 + i * i)) AS v FROM generate_series(1, 100) i) s;
SELECT op, col, (agree(format('SELECT %1$I %2$s (SELECT %1$I FROM wide WHERE id = 77) FROM wide ORDER BY %1$I %2$s (SELECT %1$I FROM wide WHERE id = 77) LIMIT 50',
  col, op))).same FROM unnest('{r, d}'::text[]) col, unnest('{<->, <+>, <#>, <=>}'::text[]) op;
SELECT xtree_check('wide_r', true), xtree_check('wide_d', true);
INSERT INTO wide (d) SELECT array_agg(i) FROM generate_series(1, 2001) i;
DROP INDEX wide_d;
TRUNCATE wide;
INSERT INTO wide (r) SELECT array_agg(i) FROM generate_series(1, 2001) i;
DROP TABLE wide;

-- The first row decides: of an empty table, ...
CREATE TABLE late (id serial, v float8[], w real[]);
CREATE INDEX late_v ON late USING xtree (v, id);
CREATE FUNCTION dimensions(index regclass) RETURNS int LANGUAGE sql RETURN (SELECT dimensions FROM xtree_index_info(index) WHERE level = 0);
SET enable_seqscan = off;
SELECT count(*) FROM late WHERE v <@ xtree_window('{0,0}', '{1,1}');
SELECT id FROM late ORDER BY v <-> '{1,2,3,4,5,6,7}' LIMIT 1;
SELECT count(*) FROM late WHERE id = 3;
SELECT xtree_check('late_v', true);
VACUUM late;
INSERT INTO late (v) VALUES (NULL);
INSERT INTO late (v) SELECT ARRAY[g, g * 2, -g] FROM generate_series(1, 1000) g;
SELECT id FROM late ORDER BY v <-> '{5,9,-5}' LIMIT 1;
INSERT INTO late (v) VALUES (NULL), ('{0,0,0}');
INSERT INTO late (v) VALUES ('{1,2}');
SELECT dimensions('late_v'), xtree_check('late_v', true);
-- ... anew after TRUNCATE, also one that is rolled back, ...
BEGIN;
TRUNCATE late;
INSERT INTO late (v) VALUES ('{1,2}');
SELECT count(*) FROM late WHERE v <@ xtree_window('{0,0}', '{2,2}');
ROLLBACK;
SELECT count(*) FROM late WHERE v <@ xtree_window('{0,0,-3}', '{2,4,3}');
TRUNCATE late;
-- ... and for good, even if the row itself is rolled back, until REINDEX.
BEGIN;
INSERT INTO late (v) VALUES ('{1,2,3,4}');
ROLLBACK;
SELECT dimensions('late_v');
INSERT INTO late (v) VALUES ('{1,2,3}');
REINDEX INDEX late_v;
INSERT INTO late (v) VALUES ('{1,2,3}');
SELECT dimensions('late_v'), xtree_check('late_v', true);
-- Within one statement, and in a session that knew of no rows.
TRUNCATE late;
INSERT INTO late (v) VALUES ('{1,2}'), ('{1,2,3}');
INSERT INTO late (v) VALUES ('{1,2}'), ('{3,4}');
SELECT count(*) FROM late WHERE v <@ xtree_window('{0,0}', '{2,2}');
-- Rows without a vector are there when the index is made (and none with one that a snapshot of somebody else still sees).
DROP INDEX late_v;
TRUNCATE late;
INSERT INTO late (v) SELECT NULL FROM generate_series(1, 2);
CREATE INDEX late_v ON late USING xtree (v, id);
SELECT dimensions('late_v'), xtree_check('late_v', true);
SELECT count(*) FROM late WHERE v IS NULL AND id > 0;
INSERT INTO late (v) VALUES ('{1,2}');
DROP INDEX late_v;
-- Deferred: what the table holds when the index is built, or the first row after that.
TRUNCATE late;
CREATE INDEX late_deferred ON late USING xtree (v) WITH (build = deferred);
INSERT INTO late (v) SELECT ARRAY[g, -g] FROM generate_series(1, 300) g;
CALL xtree_build('late_deferred');
SELECT dimensions('late_deferred'), xtree_check('late_deferred', true);
SELECT v FROM late ORDER BY v <-> '{7.2,-7}' LIMIT 2;
INSERT INTO late (v) VALUES ('{1,2,3}');
DROP INDEX late_deferred;
-- With the parameter nothing is left to rows.
CREATE INDEX late_w ON late USING xtree (w float4_vector_ops (dims = 2));
INSERT INTO late (w) VALUES (NULL), ('{1,2}');
INSERT INTO late (w) VALUES ('{1,2,3}');
SELECT dimensions('late_w'), xtree_check('late_w', true);
SELECT pg_get_indexdef('late_w'::regclass);
-- Unlogged and temporary tables, partitions of their own.
CREATE UNLOGGED TABLE unlogged (v real[]);
CREATE INDEX unlogged_v ON unlogged USING xtree (v);
INSERT INTO unlogged VALUES ('{1,2,3}'), ('{4,5,6}');
CREATE TEMPORARY TABLE temporary (v real[]);
CREATE INDEX temporary_v ON temporary USING xtree (v);
INSERT INTO temporary VALUES ('{1,2,3,4}');
SELECT dimensions('unlogged_v'), xtree_check('unlogged_v', true), dimensions('temporary_v'), xtree_check('temporary_v', true);
CREATE TABLE parted (part int, v real[]) PARTITION BY LIST (part);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES IN (2);
CREATE INDEX parted_v ON parted USING xtree (v);
INSERT INTO parted VALUES (1, '{1,2}'), (2, '{1,2,3}'), (1, '{3,4}');
SELECT v FROM parted WHERE part = 1 ORDER BY v <-> '{3,3}';
RESET enable_seqscan;

-- Entries so wide that sixteen fill a page, with large columns included: they find room when the index is built and when rows are inserted.
CREATE TABLE wide (id int, v float8[], note text);
INSERT INTO wide SELECT i, array_agg(sin(i * d)), (SELECT string_agg(md5(format('%s %s', i, n)), '') FROM generate_series(1, 20 + i % 42) n)
FROM generate_series(1, 100) i, generate_series(1, 58) d GROUP BY i;
CREATE INDEX wide_v ON wide USING xtree (v) INCLUDE (note) WITH (fillfactor = 30);
INSERT INTO wide SELECT id + 100, v, reverse(note) FROM wide;
INSERT INTO wide VALUES (300, NULL, 'none'), (301, (SELECT v FROM wide WHERE id = 7), NULL);
SELECT xtree_check('wide_v', true);
SELECT (agree($$SELECT note FROM wide WHERE v <@ xtree_window(array_fill(-1::float8, '{58}'), array_fill(1::float8, '{58}'))$$)).*;
SELECT (agree($$SELECT v <-> (SELECT v FROM wide WHERE id = 7) FROM wide ORDER BY v <-> (SELECT v FROM wide WHERE id = 7) LIMIT 20$$)).*;
DROP TABLE late, unlogged, temporary, parted, wide;
DROP FUNCTION dimensions;
