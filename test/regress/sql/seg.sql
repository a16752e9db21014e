-- contrib/seg: answers of every operator of xtree_seg's class equal a sequential scan's; also of segments whose bounds are the wrong way round,
-- of marks and digits that count for = alone, and of -0.
-- Seen to catch: && without its second alternative (the reversed segments are missed), = without recheck.
SET xtree.estimate_rows = off;  -- small tables: which plan is taken is not the point here
SET client_min_messages = warning;
CREATE EXTENSION seg;
CREATE EXTENSION xtree_seg;
RESET client_min_messages;
CREATE TABLE segments (id int, s seg, kind int);
INSERT INTO segments SELECT i, (((i * 7919) % 1000) / 10.0 || ' .. ' || ((i * 7919) % 1000) / 10.0 + (i % 50) / 10.0)::seg, i % 5
  FROM generate_series(1, 5000) i;
INSERT INTO segments VALUES (6001, '5 (+-) -1', 0), (6002, '50 (+-) -10', 1), (6003, '1..', 2), (6004, '..1', 3), (6005, '0', 0), (6006, '-0', 1),
  (6007, '<3', 2), (6008, '~3', 3), (6009, '3.00', 4), (6010, '3', 0), (6011, '>3', 1), (6012, NULL, 2), (6013, '1e38 (+-) 3e38', 3);
CREATE INDEX segments_s ON segments USING xtree (s, kind);
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM segments WHERE s && '3 .. 4' AND kind = 2;
SELECT op, count(*) AS queries, sum(rows) AS rows, bool_and(same) AS same
FROM unnest('{<<,&<,&&,&>,>>,=,@>,<@}'::text[]) op,
  (SELECT s::text AS value FROM segments WHERE id % 250 = 1 AND id <= 5000
   UNION ALL SELECT unnest('{3.5 .. 4.5,39 .. 41,5 (+-) -1,50 (+-) -10,1..,..1,0,-0,<3,~3,3.00,3,>3,1e38 (+-) 3e38}'::text[])) q,
  agree(format('SELECT id FROM segments WHERE s %s %L::seg', op, value))
GROUP BY op ORDER BY op;
SELECT rows, same FROM agree('SELECT id FROM segments WHERE s && ''3 .. 4'' AND kind = 2');
SELECT rows, same FROM agree('SELECT id FROM segments WHERE s IS NULL');
RESET enable_seqscan;
UPDATE segments SET s = '7 .. 9' WHERE id % 10 = 0;
DELETE FROM segments WHERE id % 10 = 1;
VACUUM segments;
SELECT xtree_check('segments_s', true);
SELECT amvalidate(oid) FROM pg_opclass WHERE opcname IN ('seg_ops', 'gist_seg_ops') AND opcmethod = (SELECT oid FROM pg_am WHERE amname = 'xtree');
DROP TABLE segments;
DROP EXTENSION seg CASCADE;
