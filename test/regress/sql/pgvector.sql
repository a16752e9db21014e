-- Vectors of pgvector are indexed through their cast to real[]: the nearest rows are those that pgvector's own operators find in a scan, with and
-- without conditions on other columns. Coordinates are whole numbers, so that both compute the same distances to the last bit.
-- Seen to fail: with a vector changed between the two queries, with `<->` in place of `<+>` on one side.
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
DROP EXTENSION vector;
