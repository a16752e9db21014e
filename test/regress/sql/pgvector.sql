-- pgvector: its vectors through their cast to real[], with xtree's distances beside its own; and as they are, by the classes of xtree_vector, with its
-- own operators. The coordinates of the first part are whole numbers, so that both compute the same distances to the last bit.
-- Seen to fail: with a vector changed between the two queries, with `<->` in place of `<+>` on one side; with bounds that leave nothing to the
-- rounding of sums in real, and with halves decoded without their least exponent.
SET client_min_messages = warning;
CREATE EXTENSION vector;
RESET client_min_messages;

CREATE TABLE items (id int PRIMARY KEY, tenant int, embedding vector(12));
INSERT INTO items
  SELECT i, i % 7, (SELECT array_agg(hashint4(i * 12 + d) % 50 ORDER BY d) FROM generate_series(1, 12) d)::int[]::vector
    FROM generate_series(1, 3000) i;
INSERT INTO items VALUES (0, 0, NULL);
CREATE INDEX items_tenant_embedding ON items USING xtree (tenant, (embedding::real[]));
ANALYZE items;

-- Distances of the nearest rows by both, for every hundredth row's vector.
CREATE FUNCTION differences(operator text, condition text) RETURNS TABLE (asked bigint, different bigint) LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY EXECUTE format(
    'SELECT count(*), count(*) FILTER (WHERE a.d IS DISTINCT FROM b.d) FROM items q,
       LATERAL (SELECT array_agg(d) AS d FROM (SELECT embedding::real[] %1$s q.embedding::real[] AS d FROM items
         WHERE %2$s ORDER BY embedding::real[] %1$s q.embedding::real[] LIMIT 10) x) a,
       LATERAL (SELECT array_agg(d) AS d FROM (SELECT embedding %1$s q.embedding AS d FROM items
         WHERE %2$s ORDER BY embedding %1$s q.embedding LIMIT 10) x) b
       WHERE q.id > 0 AND q.id %% 100 = 0', operator, condition);
END $$;
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM items WHERE tenant = 3 ORDER BY embedding::real[] <-> '{1,2,3,4,5,6,7,8,9,10,11,12}'::real[] LIMIT 5;
SELECT * FROM differences('<->', 'embedding IS NOT NULL');
SELECT * FROM differences('<->', 'tenant = 3');
SELECT * FROM differences('<+>', 'tenant IN (2, 5)');
RESET enable_seqscan;

UPDATE items SET embedding = embedding + embedding WHERE id % 5 = 0;
DELETE FROM items WHERE id % 11 = 0;
VACUUM items;
SET enable_seqscan = off;
SELECT * FROM differences('<->', 'embedding IS NOT NULL');
RESET enable_seqscan;
SELECT xtree_check('items_tenant_embedding', true);
DROP FUNCTION differences;
DROP TABLE items;

-- The types as they are. The distances of rows, nearest first, and the rows within a cut-off are those of a sequential scan, bit for bit. Coordinates
-- at the ends of real, which overflow pgvector's sums or vanish in them, zero vectors, duplicates, NULL.
SET client_min_messages = warning;
CREATE EXTENSION xtree_vector CASCADE;
RESET client_min_messages;
CREATE TABLE embeddings (id int, tenant int, v vector(5), h halfvec(5));
INSERT INTO embeddings SELECT i, i % 7, v::vector, v::halfvec
FROM generate_series(1, 3000) i, LATERAL (SELECT ARRAY[sin(i), cos(i * 1.3), i % 10, (i % 7) / 7.0, 1e-3 * (i % 3)]::real[] AS v) x;
INSERT INTO embeddings SELECT 5000 + i, i % 7, v::vector FROM unnest(ARRAY[
  '[0,0,0,0,0]', '[-0,0,-0,0,0]', '[0,0,0,0,0]', '[3e38,-3e38,3e38,0,0]', '[-3e38,3e38,1,0,0]', '[3e38,3e38,0,0,0]', '[1e20,1,0,0,0]', '[-1e19,1e19,0,0,0]',
  '[1e-45,0,0,0,0]', '[1e-25,-1e-25,0,0,0]', '[1e-20,1e-20,0,0,0]', '[2e-12,0,0,1e-13,0]', '[1e6,0,0,0,0]', '[1e6,1e-6,0,0,0]', '[16777216,1,1,1,1]', NULL]) WITH ORDINALITY x(v, i);
INSERT INTO embeddings SELECT 6000 + i, i % 7, NULL, v::halfvec FROM unnest(ARRAY[
  '[0,0,0,0,0]', '[-0,0,-0,0,0]', '[65504,-65504,65504,65504,65504]', '[65504,0,0,0,0]', '[6e-8,0,0,0,0]', '[-6e-8,6e-8,0,0,0]', '[6.1e-5,6.097e-5,1.2e-7,0,0]',
  '[0.1,0.2,0.3,0.4,0.5]', '[2048,2049,2050,1,1]']) WITH ORDINALITY x(v, i);
CREATE INDEX embeddings_v ON embeddings USING xtree (v);
CREATE INDEX embeddings_h ON embeddings USING xtree (h) INCLUDE (id);
CREATE INDEX embeddings_tenant ON embeddings USING xtree (tenant, v, h halfvec_ops (dims = 5));
VACUUM ANALYZE embeddings;
SELECT opcname FROM pg_opclass c JOIN pg_am a ON a.oid = c.opcmethod WHERE amname = 'xtree' AND NOT amvalidate(c.oid);
SET enable_seqscan = off;
SET enable_bitmapscan = off;
SELECT explain_plan($$SELECT id FROM embeddings WHERE tenant = 3 ORDER BY v <=> '[1,2,3,4,5]' LIMIT 5$$);
SELECT explain_plan($$SELECT h FROM embeddings ORDER BY h <#> '[1,2,3,4,5]' LIMIT 5$$);
SELECT explain_plan($$SELECT id FROM embeddings WHERE v <#> '[1,1,5,0.5,0]' < -30 AND v <+> '[1,1,5,0.5,0]' < 5$$);
SELECT id, h FROM embeddings ORDER BY h <-> '[0,1,5,0.5,0]' LIMIT 3;
RESET enable_seqscan;
RESET enable_bitmapscan;
CREATE TABLE queries AS SELECT 'v' AS col, 'vector' AS type, v::text AS value FROM embeddings WHERE v IS NOT NULL AND (id > 5000 OR id % 500 = 7)
UNION ALL SELECT 'h', 'halfvec', h::text FROM embeddings WHERE h IS NOT NULL AND (id > 5000 OR id % 500 = 7);
-- (NaN and -NaN are one number, which float8out writes alike, and so are 0 and -0, which it does not.)
SELECT col, op, count(*) AS queries, bool_and(same) AS same, string_agg(DISTINCT nodes, ' ') AS nodes
FROM queries, unnest('{<->, <+>, <#>, <=>}'::text[]) op,
  agree(format('SELECT (%1$I %2$s %3$L::%4$s) + 0 AS d FROM embeddings WHERE %1$I IS NOT NULL ORDER BY %1$I %2$s %3$L::%4$s', col, op, value, type))
GROUP BY col, op ORDER BY col, op;
SELECT col, op, count(*) AS cutoffs, sum(rows) > count(*) AS some_rows, bool_and(same) AS same
FROM queries, unnest('{<->, <+>, <#>, <=>}'::text[]) op, unnest('{<=, =}'::text[]) sign, unnest('{7, 777}'::int[]) at,
  agree(format('SELECT id, %1$I FROM embeddings WHERE %1$I %2$s %3$L::%4$s %5$s (SELECT %1$I %2$s %3$L FROM embeddings WHERE id = %6$s)', col, op, value, type, sign, at))
GROUP BY col, op ORDER BY col, op;
SELECT col, count(*) AS queries, sum(rows) AS rows, bool_and(same) AS same, string_agg(DISTINCT nodes, ' ') AS nodes
FROM queries, agree(format('SELECT id, %1$I FROM embeddings WHERE %1$I = %2$L', col, value)) GROUP BY col ORDER BY col;
SELECT op, bool_and(same) AS same, string_agg(DISTINCT nodes, ' ') AS nodes FROM unnest('{<->, <+>, <#>, <=>}'::text[]) op, generate_series(0, 6) tenant,
  agree(format('SELECT (v %1$s %2$L) + 0 FROM embeddings WHERE tenant = %3$s ORDER BY v %1$s %2$L LIMIT 20', op, '[0.3,0.4,5,1,0]', tenant))
GROUP BY op ORDER BY op;
SELECT (agree($$SELECT id FROM embeddings WHERE v IS NULL$$)).*;
SELECT (agree($$SELECT id FROM embeddings WHERE v = '[1,2]'$$)).*;
-- An index-only scan returns what was stored.
SELECT (agree($$SELECT v FROM embeddings WHERE v <+> '[0,0,0,0,0]' <= 0.5$$)).*;
SELECT (agree($$SELECT h FROM embeddings WHERE id > 6000 AND h IS NOT NULL$$)).*;
-- Written to, and what has another length.
UPDATE embeddings SET v = v + v, h = h - h WHERE id % 5 = 0 AND id < 5000;
DELETE FROM embeddings WHERE id % 11 = 0;
VACUUM embeddings;
SELECT col, op, bool_and(same) AS same
FROM queries, unnest('{<->, <#>}'::text[]) op,
  agree(format('SELECT (%1$I %2$s %3$L::%4$s) + 0 AS d FROM embeddings WHERE %1$I IS NOT NULL ORDER BY %1$I %2$s %3$L::%4$s LIMIT 50', col, op, value, type))
GROUP BY col, op ORDER BY col, op;
\set SHOW_CONTEXT never
CREATE TABLE mixed (v vector, h halfvec);
CREATE INDEX mixed_v ON mixed USING xtree (v);
CREATE INDEX mixed_h ON mixed USING xtree (h halfvec_ops (dims = 2));
INSERT INTO mixed VALUES ('[1,2]', '[1,2]'), ('[3,4]', NULL);
INSERT INTO mixed VALUES ('[1,2,3]', NULL);
INSERT INTO mixed VALUES ('[1,2]', '[1]');
SET enable_seqscan = off;
SELECT v FROM mixed ORDER BY v <-> '[1,2,3]';
SELECT v FROM mixed ORDER BY v <-> '[1,1]';
RESET enable_seqscan;
CREATE INDEX ON mixed USING xtree (v vector_ops (dims = 2001));
-- A vector excludes its equals.
CREATE TABLE distinct_vectors (v vector(2), EXCLUDE USING xtree (v WITH =));
INSERT INTO distinct_vectors VALUES ('[1,0]'), ('[1,1]');
INSERT INTO distinct_vectors VALUES ('[1,-0]');
SELECT xtree_check(i, true) FROM unnest('{embeddings_v, embeddings_h, embeddings_tenant, mixed_v, mixed_h, distinct_vectors_v_excl}'::regclass[]) i;
DROP TABLE embeddings, queries, mixed, distinct_vectors;

-- A hundred dimensions, with coordinates of every size: sums in real round in the fifth digit.
CREATE TABLE wide (id int, v vector(100), h halfvec(100));
INSERT INTO wide SELECT g, v::real[]::vector, v::real[]::halfvec FROM generate_series(1, 700) g,
  LATERAL (SELECT array_agg(sin(g * 0.1 + i * i) * 10 ^ (i % 9 - 5)) AS v FROM generate_series(1, 100) i) s;
CREATE INDEX wide_v ON wide USING xtree (v);
CREATE INDEX wide_h ON wide USING xtree (h);
ANALYZE wide;
SELECT col, op, bool_and(same) AS same FROM unnest('{v, h}'::text[]) col, unnest('{<->, <+>, <#>, <=>}'::text[]) op, generate_series(7, 700, 77) at,
  agree(format('SELECT %1$I %2$s (SELECT %1$I FROM wide WHERE id = %3$s) FROM wide ORDER BY %1$I %2$s (SELECT %1$I FROM wide WHERE id = %3$s) LIMIT 50', col, op, at))
GROUP BY col, op ORDER BY col, op;
SELECT xtree_check('wide_v', true), xtree_check('wide_h', true);
DROP TABLE wide;

-- Every half that is a number comes back from the index as it was stored, and in its place.
CREATE TABLE halves AS SELECT ARRAY[sign * CASE e WHEN 0 THEN m * 2.0 ^ -24 ELSE (1024 + m) * 2.0 ^ (e - 25) END]::real[]::halfvec(1) AS h
FROM generate_series(0, 30) e, generate_series(0, 1023) m, unnest('{1, -1}'::float8[]) sign;
CREATE INDEX halves_h ON halves USING xtree (h);
VACUUM ANALYZE halves;
SELECT (agree($$SELECT h FROM halves WHERE h <-> '[0]' < 70000$$)).*;
SELECT (agree($$SELECT h <-> '[6e-5]' FROM halves ORDER BY h <-> '[6e-5]'$$)).*;
SELECT xtree_check('halves_h', true);
DROP TABLE halves;
DROP EXTENSION vector CASCADE;
