-- VACUUM in all its forms: dead entries go, empty pages are used again, the statistics are true.
SET client_min_messages = warning;

-- VACUUM removes only what no snapshot may still see, and autovacuum's ANALYZE of some other table has one too. Waits until all
-- snapshots are younger than this call, and all transactions that a new one would count as running (ten minutes at most).
CREATE PROCEDURE outlive_snapshots() LANGUAGE plpgsql AS $$
DECLARE
  newest xid := pg_current_xact_id()::xid;
BEGIN
  COMMIT;
  FOR i IN 1..60000 LOOP
    EXIT WHEN NOT EXISTS (SELECT FROM pg_stat_activity
                          WHERE pid <> pg_backend_pid() AND greatest(age(backend_xid), age(backend_xmin)) >= age(newest));
    PERFORM pg_sleep(0.01);
    COMMIT;
  END LOOP;
END $$;

CREATE TABLE spots (id int, p point, k int) WITH (autovacuum_enabled = off);
CREATE INDEX spots_p ON spots USING xtree (p);
CREATE INDEX spots_pk ON spots USING xtree (p, k);
INSERT INTO spots SELECT i, point(i % 500, i / 500), i % 10 FROM generate_series(1, 50000) i;

-- nothing to do: a cleanup alone
VACUUM spots;
SELECT xtree_check('spots_p', true), xtree_check('spots_pk', true);
SELECT reltuples FROM pg_class WHERE relname = 'spots_p';

-- a region: whole leaves become empty, are unlinked and used again
SELECT pg_relation_size('spots_p') AS size, sum(nodes) AS nodes FROM xtree_index_info('spots_p') \gset before_
DELETE FROM spots WHERE p <@ box '(100,0),(300,100)';
CALL outlive_snapshots();
VACUUM spots;
SELECT sum(nodes) < :before_nodes AS fewer_nodes FROM xtree_index_info('spots_p');
SELECT sum(entries) FILTER (WHERE level = 0) = (SELECT count(*) FROM spots) AS leaf_entries FROM xtree_index_info('spots_p');
CALL outlive_snapshots();  -- a page is used again once every snapshot of its time is gone
VACUUM spots;
INSERT INTO spots SELECT i, point(i % 500, i / 500), i % 10 FROM generate_series(1, 50000) i WHERE point(i % 500, i / 500) <@ box '(100,0),(300,100)';
SELECT pg_relation_size('spots_p') <= :before_size * 1.3 AS pages_used_again;
SELECT xtree_check('spots_p', true), xtree_check('spots_pk', true);

-- every row, and then some again
DELETE FROM spots;
CALL outlive_snapshots();
VACUUM spots;
SELECT level, entries FROM xtree_index_info('spots_p') WHERE level = 0;
CALL outlive_snapshots();
VACUUM spots;
INSERT INTO spots SELECT i, point(i % 500, i / 500), i % 10 FROM generate_series(1, 50000) i;
SELECT pg_relation_size('spots_p') <= :before_size * 1.3 AS pages_used_again;

-- parallel workers, one index each
SET min_parallel_index_scan_size = 0;
DELETE FROM spots WHERE id % 3 = 0;
CALL outlive_snapshots();
VACUUM (PARALLEL 2) spots;
SELECT xtree_check('spots_p', true), xtree_check('spots_pk', true);
RESET min_parallel_index_scan_size;

-- index cleanup off, then on
DELETE FROM spots WHERE id % 3 = 1;
CALL outlive_snapshots();
VACUUM (INDEX_CLEANUP off) spots;
SELECT xtree_check('spots_p', true);
SELECT sum(entries) FILTER (WHERE level = 0) > (SELECT count(*) FROM spots) AS dead_entries_left FROM xtree_index_info('spots_p');
VACUUM (INDEX_CLEANUP on) spots;
SELECT sum(entries) FILTER (WHERE level = 0) = (SELECT count(*) FROM spots) AS leaf_entries FROM xtree_index_info('spots_p');

-- failsafe: indexes are left alone
DELETE FROM spots WHERE id % 7 = 0;
SET vacuum_failsafe_age = 0; SET vacuum_multixact_failsafe_age = 0;
SET client_min_messages = error;
CALL outlive_snapshots();
VACUUM (FREEZE) spots;
SET client_min_messages = warning;
RESET vacuum_failsafe_age; RESET vacuum_multixact_failsafe_age;
SELECT xtree_check('spots_p', true);
VACUUM (FREEZE) spots;
SELECT xtree_check('spots_p', true), xtree_check('spots_pk', true);

-- more dead rows than maintenance_work_mem holds: several rounds
INSERT INTO spots SELECT i, point(i % 500, i / 500), i % 10 FROM generate_series(1, 250000) i;
DELETE FROM spots WHERE k <> 5;
SET maintenance_work_mem = '1MB';
CALL outlive_snapshots();
VACUUM spots;
RESET maintenance_work_mem;
SELECT sum(entries) FILTER (WHERE level = 0) = (SELECT count(*) FROM spots) AS leaf_entries FROM xtree_index_info('spots_p');
SELECT xtree_check('spots_p', true), xtree_check('spots_pk', true);

-- throttled
DELETE FROM spots WHERE id % 2 = 0;
SET vacuum_cost_delay = '0.1ms'; SET vacuum_cost_limit = 1000;
CALL outlive_snapshots();
VACUUM ANALYZE spots;
RESET vacuum_cost_delay; RESET vacuum_cost_limit;
SELECT xtree_check('spots_p', true), xtree_check('spots_pk', true);

-- entries that scans find dead are marked, and make room before a page splits
TRUNCATE spots;
INSERT INTO spots SELECT i, point(i % 20, i / 20), 0 FROM generate_series(1, 2000) i;
SET enable_seqscan = off; SET enable_bitmapscan = off;
DO $$
BEGIN
  FOR round IN 1..30 LOOP
    DELETE FROM spots;
    PERFORM count(*) FROM spots WHERE p <@ box '(0,0),(20,100)' AND id > 0;
    INSERT INTO spots SELECT i, point(i % 20, i / 20), round FROM generate_series(1, 2000) i;
  END LOOP;
END $$;
SELECT count(*), min(k) FROM spots WHERE p <@ box '(0,0),(20,100)';
SELECT xtree_check('spots_p', true), xtree_check('spots_pk', true);
DROP TABLE spots;
DROP PROCEDURE outlive_snapshots;
