-- Settings and storage parameters of loading: names, contexts, units and bounds are an interface; wrong values are errors that say what
-- is right. Those that are fixed at server start exist only with shared_preload_libraries: settings_1.out.
LOAD 'xtree';
SELECT name, boot_val, unit, context, vartype, min_val, max_val, enumvals FROM pg_settings
 WHERE name LIKE 'xtree.%' AND name <> 'xtree.stop_point' ORDER BY name;
SELECT name FROM pg_settings WHERE name LIKE 'xtree.%' AND short_desc = '';

SET xtree.use_mmap = always;
SET xtree.use_mmap = '';
SET xtree.build_on_first_use = at_once;
SET xtree.prefetch_limit = -1;
SET xtree.prefetch_limit = 1025;
SET xtree.prefetch_limit = 'many';
SET xtree.prefetch_limit = 0;
SET xtree.prefetch_limit = 1024;
RESET xtree.prefetch_limit;
-- those of the server are not a session's
SET xtree.memory_budget = '1GB';
SET xtree.idle_timeout = 0;
SET xtree.warm_pool = 1;
SET xtree.pin_memory_limit = 0;
SET xtree.hot_page_threshold = 0;
SET xtree.naptime = 1;
SET xtree.resident_threshold = 0;
SET xtree.paged_threshold = 0;
SET xtree.verify_on_load = on;
SET xtree.max_build_workers = 1;
ALTER SYSTEM SET xtree.max_build_workers = -1;
ALTER SYSTEM SET xtree.max_build_workers = 65;
ALTER SYSTEM SET xtree.memory_budget = '3TB';
ALTER SYSTEM SET xtree.memory_budget = '1 parsec';
ALTER SYSTEM SET xtree.idle_timeout = '1 year';
ALTER SYSTEM SET xtree.warm_pool = -1;
ALTER SYSTEM SET xtree.warm_pool = 1000001;
ALTER SYSTEM SET xtree.hot_page_threshold = -0.1;
ALTER SYSTEM SET xtree.hot_page_threshold = 'NaN';
ALTER SYSTEM SET xtree.verify_on_load = maybe;
-- bounds that have a unit, which not every version puts into the message
\set message 'SELECT regexp_replace(:''LAST_ERROR_MESSAGE'', '' (kB|ms|s)\\M'', '''', ''g'') AS message;'
\set VERBOSITY sqlstate
ALTER SYSTEM SET xtree.memory_budget = -2;
:message
ALTER SYSTEM SET xtree.idle_timeout = -1;
:message
ALTER SYSTEM SET xtree.pin_memory_limit = -1;
:message
ALTER SYSTEM SET xtree.naptime = 99;
:message
ALTER SYSTEM SET xtree.naptime = '2h';
:message
ALTER SYSTEM SET xtree.resident_threshold = -1;
:message
ALTER SYSTEM SET xtree.paged_threshold = -1;
:message
\set VERBOSITY default
-- the prefix is taken
SET xtree.no_such_setting = 1;

-- storage parameters
CREATE TABLE settings_points AS SELECT i AS id, point(i, i) AS p FROM generate_series(1, 1000) i;
CREATE INDEX ON settings_points USING xtree (p) WITH (memory_quota = '');
CREATE INDEX ON settings_points USING xtree (p) WITH (memory_quota = 'lots');
CREATE INDEX ON settings_points USING xtree (p) WITH (memory_quota = -1);
CREATE INDEX ON settings_points USING xtree (p) WITH (memory_quota = '64 megabytes');
CREATE INDEX ON settings_points USING xtree (p) WITH (memory_quota = '3TB');
CREATE INDEX ON settings_points USING xtree (p) WITH (memory_quota = 10, memory_quota = 20);
CREATE INDEX ON settings_points USING xtree (p) WITH (strategy = 'fast');
CREATE INDEX ON settings_points USING xtree (p) WITH (strategy = '');
CREATE INDEX ON settings_points USING xtree (p) WITH (preload = 'maybe');
CREATE INDEX settings_xtree ON settings_points USING xtree (p) WITH (memory_quota = '64MB', strategy = resident, preload);
ALTER INDEX settings_xtree SET (memory_quota = 'no');
ALTER INDEX settings_xtree SET (strategy = none);
SELECT strategy, memory_quota, preload FROM pg_stat_xtree_indexes WHERE indexrelname = 'settings_xtree';
ALTER INDEX settings_xtree SET (memory_quota = '0', strategy = auto, preload = off);
SELECT strategy, memory_quota, preload FROM pg_stat_xtree_indexes WHERE indexrelname = 'settings_xtree';
ALTER INDEX settings_xtree SET (memory_quota = '1.5GB');
SELECT strategy, memory_quota, preload FROM pg_stat_xtree_indexes WHERE indexrelname = 'settings_xtree';
REINDEX INDEX settings_xtree;
SELECT xtree_check('settings_xtree', true);
DROP TABLE settings_points;
