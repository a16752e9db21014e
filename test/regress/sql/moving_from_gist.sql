-- What statements and tools that were made for GiST find: operator classes under the peers' names, the option buffering, the extent.
-- Seen to catch: a class that is not in xtree's family (its operators make no index condition), an extent of the first leaf alone.
SET client_min_messages = warning;
CREATE EXTENSION btree_gist;
CREATE EXTENSION xtree_btree_gist;
CREATE EXTENSION IF NOT EXISTS cube;
CREATE EXTENSION IF NOT EXISTS xtree_cube;
RESET client_min_messages;
-- every class of btree_gist has its name in xtree
SELECT g.opcname FROM pg_opclass g JOIN pg_am a ON a.oid = g.opcmethod AND a.amname = 'gist' WHERE g.opcname LIKE 'gist%'
  AND EXISTS (SELECT FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid WHERE d.objid = g.oid AND e.extname = 'btree_gist')
  AND NOT EXISTS (SELECT FROM pg_opclass x JOIN pg_am b ON b.oid = x.opcmethod AND b.amname = 'xtree' WHERE x.opcname = g.opcname);
SELECT bool_and(amvalidate(x.oid)) AS valid, count(*) > 20 AS many FROM pg_opclass x JOIN pg_am b ON b.oid = x.opcmethod AND b.amname = 'xtree'
  WHERE x.opcname LIKE 'gist%';
CREATE TABLE rooms (id int, room int, name text, net cidr, during int4range, at point, size cube,
  EXCLUDE USING xtree (room gist_int4_ops WITH =, during WITH &&));
INSERT INTO rooms SELECT i, i % 20, 'room ' || i, ('10.' || i % 100 || '.0.0/16')::cidr, int4range(i, i + 5), point(i % 90, i / 90),
  cube(ARRAY[i % 10, i % 11]) FROM generate_series(0, 2000) i;
CREATE INDEX rooms_many ON rooms USING xtree (name gist_text_ops, net gist_cidr_ops, size gist_cube_ops) WITH (buffering = on);
CREATE INDEX ON rooms USING xtree (at) WITH (buffering = maybe);
SELECT reloptions FROM pg_class WHERE relname = 'rooms_many';
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM rooms WHERE name = 'room 77' AND net && '10.77.0.0/16' AND size <@ cube(ARRAY[0,0], ARRAY[9,9]);
SELECT rows, same FROM agree($$SELECT id FROM rooms WHERE name = 'room 77' AND net && '10.77.0.0/16' AND size <@ cube(ARRAY[0,0], ARRAY[9,9])$$);
RESET enable_seqscan;
INSERT INTO rooms VALUES (5000, 1, 'x', '10.0.0.0/16', '[2,3)', NULL, NULL);
-- bounds of all columns, outliers included
CREATE INDEX rooms_extent ON rooms USING xtree (at, id, during);
INSERT INTO rooms VALUES (6000, 99, 'outlier', '10.0.0.0/16', '[7000,7001)', '(-1000,5000)', NULL);
SELECT * FROM xtree_extent('rooms_extent');
CREATE TABLE nothing (at point, v real[]);
CREATE INDEX nothing_at ON nothing USING xtree (at);
CREATE INDEX nothing_v ON nothing USING xtree (v);
SELECT * FROM xtree_extent('nothing_at') UNION ALL SELECT * FROM xtree_extent('nothing_v');
DROP INDEX nothing_v;
INSERT INTO nothing VALUES (NULL, NULL);
SELECT * FROM xtree_extent('nothing_at');
SELECT xtree_extent('rooms');
CREATE INDEX nothing_later ON nothing USING xtree (at) WITH (build = deferred);
SELECT xtree_extent('nothing_later');
CREATE ROLE xtree_stranger;
GRANT SELECT ON rooms TO xtree_stranger;
SET ROLE xtree_stranger;
SELECT xtree_extent('rooms_extent');
RESET ROLE;
REVOKE ALL ON rooms FROM xtree_stranger;
DROP ROLE xtree_stranger;
SELECT count(xtree_check(indexrelid, true)) FROM pg_index WHERE indrelid IN ('rooms'::regclass, 'nothing'::regclass)
  AND indexrelid <> 'nothing_later'::regclass;
DROP TABLE rooms, nothing;
DROP EXTENSION cube, btree_gist CASCADE;
