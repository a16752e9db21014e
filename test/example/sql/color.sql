-- The example of docs/adding-a-type.md works: its class is valid, and the index answers as a sequential scan does.
-- Seen to fail: with channels taken in another order by one of the callbacks.
CREATE EXTENSION color CASCADE;
SELECT amvalidate(oid) FROM pg_opclass WHERE opcname = 'color_ops';
CREATE TABLE paints (id int, c color);
INSERT INTO paints SELECT i, ('#' || lpad(to_hex(i * 7919 % 16777216), 6, '0'))::color FROM generate_series(1, 3000) i;
INSERT INTO paints VALUES (4000, '#000000'), (4001, '#ffffff'), (4002, NULL);
CREATE TABLE answers AS SELECT 'box' AS query, array_agg(id ORDER BY id) AS ids FROM paints WHERE c >= '#102030' AND c <= '#8090a0'
UNION ALL SELECT 'equal', array_agg(id ORDER BY id) FROM paints WHERE c = '#ffffff'
UNION ALL SELECT 'near', array_agg(id ORDER BY id) FROM paints WHERE c <-> '#336699' < 40
UNION ALL SELECT 'nearest', array_agg(id ORDER BY d, id) FROM (SELECT id, c <-> '#336699' AS d FROM paints ORDER BY d, id LIMIT 20) n;
CREATE INDEX paints_c ON paints USING xtree (c, id);
INSERT INTO paints VALUES (4003, '#xyzxyz');
VACUUM ANALYZE paints;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT count(*) FROM paints WHERE c <-> '#336699' < 40;
EXPLAIN (COSTS OFF) SELECT c FROM paints WHERE c <= '#336699' ORDER BY c <-> '#336699' LIMIT 3;
SELECT c, c <-> '#336699' AS distance FROM paints ORDER BY c <-> '#336699' LIMIT 3;
SELECT query, ids = CASE query
    WHEN 'box' THEN (SELECT array_agg(id ORDER BY id) FROM paints WHERE c >= '#102030' AND c <= '#8090a0')
    WHEN 'near' THEN (SELECT array_agg(id ORDER BY id) FROM paints WHERE c <-> '#336699' < 40)
    WHEN 'equal' THEN (SELECT array_agg(id ORDER BY id) FROM paints WHERE c = '#ffffff')
    ELSE (SELECT array_agg(id ORDER BY d, id) FROM (SELECT id, c <-> '#336699' AS d FROM paints ORDER BY c <-> '#336699' LIMIT 20) n)
  END AS same, cardinality(ids) FROM answers;
SELECT xtree_check('paints_c', true);
DROP TABLE paints, answers;
