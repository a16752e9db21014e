-- Deferred indexes where the server shows nothing of what a session does (track_activities = off), and what a row costs while an index is
-- not built.
-- Seen to fail: with REINDEX told from a rewrite of its table by the command that the session shows (it leaves the index unbuilt); with the meta page locked
-- exclusively for each row of an INSERT, and with it only looked at for each (more than three visits for 1,000 rows).
LOAD 'xtree';
SET xtree.build_on_first_use = off;  -- with shared_preload_libraries as without
SET track_activities = off;
CREATE TABLE untracked (id int, p point);
CREATE FUNCTION untracked_state() RETURNS text LANGUAGE sql AS
  $$ SELECT string_agg(DISTINCT indexrelid::regclass || ' ' || build_state || coalesce(' with ' || entries || ' entries', ''), ', ')
     FROM pg_index, xtree_index_info(indexrelid) WHERE indrelid = 'untracked'::regclass AND coalesce(level, 0) = 0 $$;
INSERT INTO untracked SELECT i, point(i, i % 7) FROM generate_series(1, 1000) i;
CREATE INDEX untracked_a ON untracked USING xtree (p) WITH (build = deferred);
CREATE INDEX untracked_b ON untracked USING xtree (id, p) WITH (build = deferred);

-- a rewrite leaves them as they were, alone and with others after it; REINDEX builds them, also after a rewrite in its transaction
ALTER TABLE untracked ADD COLUMN more float8 DEFAULT random();
SELECT untracked_state();
VACUUM FULL untracked;
SELECT untracked_state();
BEGIN;
ALTER TABLE untracked ADD COLUMN still float8 DEFAULT random();
SELECT untracked_state();
REINDEX INDEX untracked_a;
SELECT untracked_state();
ALTER TABLE untracked ADD COLUMN again float8 DEFAULT random();
SELECT untracked_state();
DO $$ BEGIN REINDEX INDEX untracked_b; END $$;
SELECT untracked_state();
ROLLBACK;
SELECT untracked_state();
BEGIN;
TRUNCATE untracked;
SELECT untracked_state();
INSERT INTO untracked SELECT i, point(i, i % 7) FROM generate_series(1, 900) i;
REINDEX TABLE untracked;
SELECT untracked_state();
SELECT xtree_check(indexrelid, true) FROM pg_index WHERE indrelid = 'untracked'::regclass;
ROLLBACK;
REINDEX INDEX CONCURRENTLY untracked_a;
REINDEX TABLE untracked;
SELECT untracked_state();
SELECT xtree_check(indexrelid, true) FROM pg_index WHERE indrelid = 'untracked'::regclass;
RESET track_activities;

-- an unbuilt index is looked at once a statement, and changed by the first of all
CREATE TABLE unread (p point);
CREATE INDEX unread_p ON unread USING xtree (p) WITH (build = deferred);
CREATE FUNCTION unread_visits(statement text) RETURNS bool LANGUAGE plpgsql AS $$
DECLARE before bigint := pg_stat_get_xact_blocks_fetched('unread_p'::regclass);
BEGIN
  EXECUTE statement;
  RETURN pg_stat_get_xact_blocks_fetched('unread_p'::regclass) - before <= 3;
END $$;
SELECT is_stale FROM pg_stat_xtree_indexes WHERE indexrelname = 'unread_p';
SELECT unread_visits('INSERT INTO unread SELECT point(i, i) FROM generate_series(1, 1000) i');
SELECT is_stale FROM pg_stat_xtree_indexes WHERE indexrelname = 'unread_p';
SELECT unread_visits('INSERT INTO unread SELECT point(i, i) FROM generate_series(1, 1000) i');
CALL xtree_build('unread_p');
SELECT is_stale FROM pg_stat_xtree_indexes WHERE indexrelname = 'unread_p';
SELECT xtree_check('unread_p', true);
DROP TABLE untracked, unread;
DROP FUNCTION untracked_state(), unread_visits(text);
