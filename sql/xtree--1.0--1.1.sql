-- xtree 1.0 -> 1.1. Indexes stay as they are. See xtree--1.1.sql for what is named how.

-- complain if the script is run by hand
\echo Use "ALTER EXTENSION xtree UPDATE TO '1.1'" to load this file. \quit

-- Uses are counted without shared_preload_libraries, too, where the server has memory for it.

COMMENT ON FUNCTION xtree_preloaded() IS 'is xtree in shared_preload_libraries, so that indexes are mapped and there is a worker?';

CREATE FUNCTION xtree_counted() RETURNS pg_catalog.bool
AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT;
COMMENT ON FUNCTION xtree_counted() IS 'are uses of indexes counted? With shared_preload_libraries, and from PostgreSQL 17 on without';

CREATE OR REPLACE VIEW pg_stat_xtree_indexes AS
SELECT x.indrelid AS relid, x.indexrelid, n.nspname AS schemaname, t.relname, c.relname AS indexrelname,
  CASE WHEN NOT b.built THEN coalesce(s.build_stage, 'unbuilt') ELSE coalesce(s.state, 'registered') END AS state,
  coalesce(s.strategy, o.strategy) AS strategy,
  f.size,
  coalesce(s.mapped_bytes, m.zero) AS mapped_bytes,
  coalesce(s.resident_bytes, m.zero) AS resident_bytes,
  coalesce(s.pinned_bytes, m.zero) AS pinned_bytes,
  o.memory_quota, o.preload,
  coalesce(s.backends, m.zero::pg_catalog.int4) AS backends,
  coalesce(s.loads, m.zero) AS loads,
  coalesce(s.unloads, m.zero) AS unloads,
  coalesce(s.evictions, m.zero) AS evictions,
  coalesce(s.scans, z.zero) AS scans,
  coalesce(s.tuples, z.zero) AS tuples,
  coalesce(s.mapped_reads, m.zero) AS mapped_reads,
  coalesce(s.buffer_reads, z.zero) AS buffer_reads,
  s.mapped_reads::pg_catalog.float8 / nullif(s.mapped_reads + s.buffer_reads, 0)::pg_catalog.float8 AS mapped_share,
  '1'::pg_catalog.float8 - s.absent_reads::pg_catalog.float8
    / nullif(coalesce(s.mapped_reads, 0) + s.buffer_reads, 0)::pg_catalog.float8 AS hit_rate,
  coalesce(s.retries, m.zero) AS retries,
  coalesce(s.faults, m.zero) AS faults,
  coalesce(s.prefetches, z.zero) AS prefetches,
  coalesce(s.prefetch_time, z.zero::pg_catalog.float8) AS prefetch_time,
  s.first_access, s.last_access, s.load_time, s.last_error, s.last_error_time,
  e.entries,
  f.size::pg_catalog.float8 / nullif(e.entries, 0)::pg_catalog.float8 AS bytes_per_entry,
  b.distinct_keys, b.rows_per_key,
  b.built AS is_built,
  b.stale AS is_stale,
  coalesce(s.demand, z.zero) AS demand,
  p.phase AS build_phase,
  CASE WHEN p.blocks_total > 0 THEN p.blocks_done::pg_catalog.float8 / p.blocks_total::pg_catalog.float8
       WHEN p.tuples_total > 0 THEN p.tuples_done::pg_catalog.float8 / p.tuples_total::pg_catalog.float8
       WHEN p.lockers_total > 0 THEN p.lockers_done::pg_catalog.float8 / p.lockers_total::pg_catalog.float8 END AS build_progress,
  s.next_build
FROM pg_catalog.pg_index x
  JOIN pg_catalog.pg_class c ON c.oid = x.indexrelid
  JOIN pg_catalog.pg_class t ON t.oid = x.indrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_am a ON a.oid = c.relam
  CROSS JOIN LATERAL xtree_storage_options(c.reloptions) o
  CROSS JOIN LATERAL (SELECT CASE WHEN xtree_counted() AND c.relpersistence <> 't' THEN 0::pg_catalog.int8 END AS zero) z
  CROSS JOIN LATERAL (SELECT CASE WHEN xtree_preloaded() THEN z.zero END AS zero) m
  CROSS JOIN LATERAL (SELECT CASE WHEN c.relpersistence = 't' THEN pg_catalog.pg_relation_size(c.oid)
                                  ELSE xtree_file_bytes(c.reltablespace, c.relfilenode) END AS size) f
  CROSS JOIN LATERAL xtree_build_state(c.oid) b
  CROSS JOIN LATERAL (SELECT CASE WHEN b.built AND c.reltuples >= '0'::pg_catalog.float4 THEN c.reltuples::pg_catalog.int8 END AS entries) e
  LEFT JOIN xtree_stat_indexes() s ON s.indexrelid = c.oid
  LEFT JOIN pg_catalog.pg_stat_progress_create_index p ON p.index_relid = c.oid AND p.datname = pg_catalog.current_database()
WHERE a.amname = 'xtree' AND c.relkind = 'i';
COMMENT ON COLUMN pg_stat_xtree_indexes.prefetches IS 'pages read ahead: that the kernel was asked for, or a read stream brought (bitmap scans, from PostgreSQL 17 on)';

-- Why nothing is mapped.

CREATE FUNCTION xtree_mapping() RETURNS pg_catalog.text
AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT;
COMMENT ON FUNCTION xtree_mapping() IS 'on, or why this session reads no index through a mapping';

CREATE OR REPLACE VIEW pg_stat_xtree_memory AS
SELECT xtree_preloaded() AS preloaded, m.*, xtree_mapping() AS mapping
FROM (SELECT) one LEFT JOIN xtree_stat_memory() m ON true;
COMMENT ON COLUMN pg_stat_xtree_memory.mapping IS 'on, or why indexes are read through shared buffers alone: xtree is not preloaded, xtree.use_mmap is off, the server is in recovery, debug_io_direct includes data';
COMMENT ON COLUMN pg_stat_xtree_memory.preloaded IS 'is xtree in shared_preload_libraries? If not, all else is NULL but mapping and what is counted without: registered, private_bytes, stats_reset';

-- They look at arrays, which takes as long as so many of the server's own operators.
ALTER FUNCTION xtree_in_window(pg_catalog.float4[], xtree_window) COST 25;
ALTER FUNCTION xtree_window_contains(xtree_window, pg_catalog.float4[]) COST 25;
ALTER FUNCTION xtree_in_window(pg_catalog.float8[], xtree_window) COST 25;
ALTER FUNCTION xtree_window_contains(xtree_window, pg_catalog.float8[]) COST 25;

-- What the views above amount to: xtree_recommendations. A figure that nobody has counted is NULL, and a rule about it does not apply.

CREATE FUNCTION xtree_tree_state(index pg_catalog.oid, OUT built_at pg_catalog.timestamptz, OUT height pg_catalog.int4,
  OUT pages pg_catalog.int8, OUT entries pg_catalog.int8, OUT fill pg_catalog.float8, OUT built_rows pg_catalog.int8,
  OUT built_crowding pg_catalog.float8, OUT dimensions pg_catalog.int4, OUT vectors pg_catalog.int8, OUT outgrown_vectors pg_catalog.int8,
  OUT drift pg_catalog.float8)
RETURNS pg_catalog.record
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT;

-- Which columns scans asked for (a bit each, the first column's is 1), or whether values too (index-only scans), in so many scans since then.
CREATE FUNCTION xtree_stat_columns(OUT indexrelid pg_catalog.oid, OUT columns pg_catalog.int8, OUT "values" pg_catalog.bool,
  OUT scans pg_catalog.int8, OUT since pg_catalog.timestamptz)
RETURNS SETOF pg_catalog.record
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT ROWS 100;

-- How many nodes of the tree lie over one place; reads at most nine of them.
CREATE FUNCTION xtree_crowding(index pg_catalog.oid) RETURNS pg_catalog.float8
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT;

CREATE VIEW xtree_recommendations AS
WITH used AS (
  SELECT * FROM pg_stat_xtree_indexes
), server AS (
  SELECT m.*,
    coalesce(pg_catalog.current_setting('xtree.recommend_after', true), '1d')::pg_catalog.interval AS after,
    pg_catalog.pg_size_bytes(pg_catalog.current_setting('xtree.pin_memory_limit', true)) AS pin_memory_limit,
    pg_catalog.pg_size_bytes(pg_catalog.current_setting('xtree.resident_threshold', true)) AS resident_threshold
  FROM pg_stat_xtree_memory m
), evicted AS (
  -- for want of memory, and wanted again
  SELECT e.indexrelid, pg_catalog.split_part(e.reason, ';', 1) AS reason, count(*) AS times
  FROM xtree_stat_events() e
  WHERE e.kind = 'evict' AND e.datid = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
    AND EXISTS (SELECT FROM xtree_stat_events() l WHERE l.kind IN ('admit', 'load') AND l.datid = e.datid AND l.indexrelid = e.indexrelid AND l.number > e.number)
  GROUP BY 1, 2
), covered AS (
  -- An xtree index of the same table has all columns of this one, with the same classes, their options, collations and predicate; of two alike the older one stays.
  -- Expressions are compared as they are stored, since whoever writes them as text waits for locks on their table.
  SELECT a.indexrelid, b.indexrelid AS other, b.indnkeyatts > a.indnkeyatts AS has_more
  FROM pg_catalog.pg_index a
    JOIN pg_catalog.pg_class ac ON ac.oid = a.indexrelid
    JOIN pg_catalog.pg_am m ON m.oid = ac.relam AND m.amname = 'xtree'
    CROSS JOIN LATERAL (
      SELECT pg_catalog.array_agg(coalesce(t.attoptions::pg_catalog.text, '') ORDER BY t.attnum) AS list
      FROM pg_catalog.pg_attribute t WHERE t.attrelid = a.indexrelid) ao
    CROSS JOIN LATERAL (
      SELECT b.indexrelid, b.indnkeyatts
      FROM pg_catalog.pg_index b JOIN pg_catalog.pg_class bc ON bc.oid = b.indexrelid AND bc.relam = ac.relam
        CROSS JOIN LATERAL (
          SELECT pg_catalog.array_agg(coalesce(t.attoptions::pg_catalog.text, '') ORDER BY t.attnum) AS list
          FROM pg_catalog.pg_attribute t WHERE t.attrelid = b.indexrelid) bo
      WHERE b.indrelid = a.indrelid AND b.indexrelid <> a.indexrelid AND b.indisvalid
        AND (b.indnkeyatts > a.indnkeyatts OR (b.indnkeyatts = a.indnkeyatts AND (b.indnatts > a.indnatts OR b.indexrelid < a.indexrelid)))
        AND pg_catalog.regexp_replace(a.indpred::pg_catalog.text, ':location -?[0-9]+', '', 'g')
          IS NOT DISTINCT FROM pg_catalog.regexp_replace(b.indpred::pg_catalog.text, ':location -?[0-9]+', '', 'g')
        AND NOT EXISTS (
          SELECT FROM pg_catalog.generate_series(1, a.indnatts::pg_catalog.int4) k
          WHERE NOT EXISTS (
            SELECT FROM pg_catalog.generate_series(1, b.indnatts::pg_catalog.int4) o
            WHERE a.indkey[k - 1] = b.indkey[o - 1]
              AND (a.indkey[k - 1] <> 0::pg_catalog.int2
                   OR (k = o AND pg_catalog.regexp_replace(a.indexprs::pg_catalog.text, ':location -?[0-9]+', '', 'g')
                               = pg_catalog.regexp_replace(b.indexprs::pg_catalog.text, ':location -?[0-9]+', '', 'g')))
              AND (k > a.indnkeyatts::pg_catalog.int4
                   OR (ao.list[k] = bo.list[o] AND o <= b.indnkeyatts::pg_catalog.int4 AND a.indclass[k - 1] = b.indclass[o - 1]
                       AND a.indcollation[k - 1] = b.indcollation[o - 1]))))
      ORDER BY b.indnkeyatts, b.indnatts, b.indexrelid LIMIT 1) b
), indexes AS (
  SELECT i.*, b.built_at, b.pages, b.fill, b.built_rows, b.built_crowding, b.dimensions, b.vectors, b.outgrown_vectors, b.drift, s.after, s.memory_budget, s.resident_threshold,
    pg_catalog.format('%I.%I', i.schemaname, i.indexrelname) AS name,
    pg_catalog.format('%I.%I', i.schemaname, i.relname) AS table_name,
    pg_catalog.now() - greatest(b.built_at, s.stats_reset) AS observed,
    pg_catalog.pg_stat_get_numscans(i.indexrelid) AS all_scans,
    -- of the table, less what the build found there
    greatest(pg_catalog.pg_stat_get_tuples_inserted(i.relid) + pg_catalog.pg_stat_get_tuples_updated(i.relid)
      - pg_catalog.pg_stat_get_tuples_hot_updated(i.relid) - b.built_rows, 0) AS writes,
    x.indisexclusion OR c.relispartition AS is_needed,
    x.indnkeyatts, x.indnatts, x.indkey, x.indclass, x.indcollation, x.indexprs IS NULL AND x.indpred IS NULL AS is_plain,
    c.reloptions, c.relam, t.relpages AS table_pages, t.reltuples AS table_rows,
    u.columns AS asked, u."values" AS asked_values, u.scans AS watched_scans, pg_catalog.now() - u.since AS watched,
    (SELECT a.attname FROM pg_catalog.pg_attribute a WHERE a.attrelid = i.relid AND a.attnum = x.indkey[0]) AS first_column
  FROM used i
    JOIN pg_catalog.pg_index x ON x.indexrelid = i.indexrelid
    JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
    JOIN pg_catalog.pg_class t ON t.oid = i.relid
    CROSS JOIN server s
    CROSS JOIN LATERAL xtree_tree_state(i.indexrelid) b
    LEFT JOIN xtree_stat_columns() u ON u.indexrelid = i.indexrelid
  WHERE x.indisvalid
), changed AS (
  -- Indexes of which another one would be better: without the columns that no scan asked for, or with longer keys. Its definition, and the index that
  -- there is already. `asked`: the columns that stay, a bit each.
  SELECT w.indexrelid, w.longer_keys, n.other, d.columns, d.included, d.unasked, d.options
  FROM (
    SELECT i.*, false AS longer_keys, i.asked AS kept FROM indexes i
    WHERE i.is_built AND i.is_plain AND NOT i.is_needed AND i.watched_scans >= 1000 AND i.watched >= i.after AND i.observed >= i.after
      AND i.asked > '0'::pg_catalog.int8 AND i.asked < ('1'::pg_catalog.int8 << i.indnkeyatts::pg_catalog.int4) - '1'::pg_catalog.int8
    UNION ALL
    SELECT i.*, true, '1'::pg_catalog.int8 FROM indexes i
    WHERE i.is_built AND i.is_plain AND NOT i.is_needed AND i.indnkeyatts = 1 AND i.dimensions <= 2 AND i.rows_per_key >= '2'::pg_catalog.float8
      AND EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = i.indexrelid AND a.attnum = '1'::pg_catalog.int2
                    AND a.attoptions::pg_catalog.text ~ '^{key_bytes=(8|16)}$')
      AND EXISTS (SELECT FROM pg_catalog.pg_stats p
                  WHERE p.schemaname = i.schemaname AND p.tablename = i.relname AND p.attname = i.first_column AND NOT p.inherited AND p.n_distinct <> '0'::pg_catalog.float4
                    AND i.table_rows > '0'::pg_catalog.float4
                    AND i.rows_per_key >= '2'::pg_catalog.float8 * (CASE WHEN p.n_distinct > '0'::pg_catalog.float4 THEN i.table_rows / p.n_distinct
                                                                       ELSE -'1'::pg_catalog.float4 / p.n_distinct END)::pg_catalog.float8)
  ) w
    CROSS JOIN LATERAL (
      SELECT pg_catalog.string_agg(k.definition, ', ' ORDER BY k.number) FILTER (WHERE k.stays) AS columns,
        pg_catalog.string_agg(pg_catalog.quote_ident(k.attname), ', ' ORDER BY k.number) FILTER (WHERE NOT k.stays AND (w.asked_values OR NOT k.is_key)) AS included,
        pg_catalog.string_agg(pg_catalog.quote_ident(k.attname), ', ' ORDER BY k.number) FILTER (WHERE NOT k.stays AND k.is_key) AS unasked,
        (SELECT pg_catalog.string_agg(pg_catalog.format('%I = %L', pg_catalog.split_part(r, '=', 1), pg_catalog.substr(r, pg_catalog.strpos(r, '=') + 1)), ', ')
         FROM pg_catalog.unnest(w.reloptions) r) AS options
      FROM (
        SELECT g AS number, t.attname, g <= w.indnkeyatts::pg_catalog.int4 AS is_key,
          g <= w.indnkeyatts::pg_catalog.int4 AND (w.kept & ('1'::pg_catalog.int8 << (g - 1))) <> '0'::pg_catalog.int8 AS stays,
          pg_catalog.format('%I%s %I.%I%s', t.attname, (SELECT pg_catalog.format(' COLLATE %I.%I', cn.nspname, co.collname)
             FROM pg_catalog.pg_collation co JOIN pg_catalog.pg_namespace cn ON cn.oid = co.collnamespace WHERE co.oid = w.indcollation[g - 1]),
            ns.nspname, oc.opcname,
            CASE WHEN w.longer_keys THEN ' (key_bytes = 24)' ELSE (
              SELECT ' (' || pg_catalog.string_agg(pg_catalog.format('%I = %L', pg_catalog.split_part(r, '=', 1), pg_catalog.substr(r, pg_catalog.strpos(r, '=') + 1)), ', ') || ')'
              FROM pg_catalog.unnest(ia.attoptions) r) END) AS definition
        FROM (SELECT z.n::pg_catalog.int4 AS g FROM pg_catalog.unnest(w.indkey) WITH ORDINALITY z(a, n) WHERE z.n <= w.indnatts::pg_catalog.int8) gg
          JOIN pg_catalog.pg_attribute t ON t.attrelid = w.relid AND t.attnum = w.indkey[g - 1]
          JOIN pg_catalog.pg_attribute ia ON ia.attrelid = w.indexrelid AND ia.attnum = g::pg_catalog.int2
          LEFT JOIN pg_catalog.pg_opclass oc ON oc.oid = w.indclass[g - 1] AND g <= w.indnkeyatts::pg_catalog.int4
          LEFT JOIN pg_catalog.pg_namespace ns ON ns.oid = oc.opcnamespace) k) d
    LEFT JOIN LATERAL (
      SELECT o.indexrelid AS other FROM indexes o
      WHERE o.relid = w.relid AND o.indexrelid <> w.indexrelid AND o.is_plain AND o.is_built AND (NOT w.longer_keys OR o.dimensions > w.dimensions)
        AND o.indnkeyatts::pg_catalog.int8 = (
          SELECT count(*) FROM (SELECT z.n::pg_catalog.int4 AS g FROM pg_catalog.unnest(w.indkey) WITH ORDINALITY z(a, n) WHERE z.n <= w.indnkeyatts::pg_catalog.int8) gg WHERE (w.kept & ('1'::pg_catalog.int8 << (g - 1))) <> '0'::pg_catalog.int8)
        AND NOT EXISTS (
          SELECT FROM (SELECT z.n::pg_catalog.int4 AS g FROM pg_catalog.unnest(w.indkey) WITH ORDINALITY z(a, n) WHERE z.n <= w.indnkeyatts::pg_catalog.int8) gg
          WHERE (w.kept & ('1'::pg_catalog.int8 << (g - 1))) <> '0'::pg_catalog.int8
            AND NOT EXISTS (SELECT FROM (SELECT z.n::pg_catalog.int4 AS h FROM pg_catalog.unnest(o.indkey) WITH ORDINALITY z(a, n) WHERE z.n <= o.indnkeyatts::pg_catalog.int8) hh
                            WHERE w.indkey[g - 1] = o.indkey[h - 1] AND w.indclass[g - 1] = o.indclass[h - 1] AND w.indcollation[g - 1] = o.indcollation[h - 1]))
      ORDER BY o.indexrelid LIMIT 1) n ON true
)
SELECT i.indexrelid, i.schemaname, i.relname, i.indexrelname, r.advice, r.reason, r.statement, r.saves
FROM indexes i
  LEFT JOIN covered k ON k.indexrelid = i.indexrelid
  LEFT JOIN indexes o ON o.indexrelid = k.other
  CROSS JOIN LATERAL (
    SELECT i.indnkeyatts = 1 AND EXISTS (
      SELECT FROM pg_catalog.pg_opclass x JOIN pg_catalog.pg_opclass b ON b.opcintype = x.opcintype AND b.opcdefault
        JOIN pg_catalog.pg_am m ON m.oid = b.opcmethod AND m.amname = 'btree'
        JOIN pg_catalog.pg_type t ON t.oid = x.opcintype
      WHERE x.oid = i.indclass[0] AND t.typcategory NOT IN ('R', 'P', 'I')) AS is_scalar) y
  LEFT JOIN evicted q ON q.indexrelid = i.indexrelid AND q.reason = 'memory quota'
  LEFT JOIN changed f ON f.indexrelid = i.indexrelid AND NOT f.longer_keys
  LEFT JOIN changed l ON l.indexrelid = i.indexrelid AND l.longer_keys
  LEFT JOIN indexes fo ON fo.indexrelid = f.other
  LEFT JOIN indexes lo ON lo.indexrelid = l.other
  CROSS JOIN LATERAL (
    SELECT CASE WHEN i.is_built AND i.pages >= 64 AND i.built_crowding IS NOT NULL AND i.writes > i.built_rows / 10 THEN xtree_crowding(i.indexrelid) END AS now) w
  CROSS JOIN LATERAL (VALUES
    ('drop: never read', i.is_built AND i.all_scans = 0 AND NOT i.is_needed AND i.entries > 0 AND i.observed >= i.after,
     pg_catalog.format('no scan since it was built, or since counting began, %s ago', pg_catalog.date_trunc('second', i.observed)),
     pg_catalog.format('DROP INDEX CONCURRENTLY %s', i.name),
     pg_catalog.format('%s, and an insertion into it for each row written (%s so far)', pg_catalog.pg_size_pretty(i.size), i.writes)),
    ('drop: nearly only written', i.is_built AND i.all_scans > 0 AND i.writes >= 10000 AND i.writes / i.all_scans >= 1000 AND NOT i.is_needed
       AND i.observed >= i.after,
     pg_catalog.format('%s rows written to the table, %s scans of the index', i.writes, i.all_scans),
     pg_catalog.format('DROP INDEX CONCURRENTLY %s', i.name),
     pg_catalog.format('%s, and an insertion for each row written; its scans will read the table', pg_catalog.pg_size_pretty(i.size))),
    ('drop: duplicate', NOT k.has_more AND NOT i.is_needed,
     pg_catalog.format('%s has the same columns, classes and predicate', o.name),
     pg_catalog.format('DROP INDEX CONCURRENTLY %s', i.name),
     pg_catalog.format('%s, and an insertion for each row written', pg_catalog.pg_size_pretty(i.size))),
    ('drop: covered', k.has_more AND NOT i.is_needed AND o.is_built AND i.all_scans <= o.all_scans
       AND i.observed >= i.after AND NOT EXISTS (SELECT FROM changed n WHERE n.other = i.indexrelid),
     pg_catalog.format('%s has its columns and more, and %s scans to its %s', o.name, o.all_scans, i.all_scans),
     pg_catalog.format('DROP INDEX CONCURRENTLY %s', i.name),
     pg_catalog.format('%s, and an insertion for each row written; its scans will visit more pages of the other', pg_catalog.pg_size_pretty(i.size))),
    ('build', i.is_built IS FALSE AND i.demand > 0
       AND (i.state IN ('unbuilt', 'failed') OR (i.state = 'queued' AND pg_catalog.current_setting('xtree.max_build_workers', true) = '0')),
     pg_catalog.format('deferred, and %s queries have asked for it; it is %s', i.demand, i.state),
     pg_catalog.format('CALL xtree_build(%L)', i.name),
     'a scan of the whole table for each such query'),
    ('preload', i.preload IS FALSE AND i.all_scans >= 1000 AND i.load_time IS NOT NULL AND i.observed >= i.after
       AND i.size <= least(i.resident_threshold, i.memory_budget / 100),
     pg_catalog.format('%s scans, and only %s', i.all_scans, pg_catalog.pg_size_pretty(i.size)),
     pg_catalog.format('ALTER INDEX %s SET (preload = on)', i.name),
     pg_catalog.format('%s ms until it is loaded, and the reads of its first scans, after each start of the server',
                       pg_catalog.round(i.load_time::pg_catalog.numeric, 1))),
    ('raise memory_quota', q.times >= 3,
     pg_catalog.format('evicted %s times for its quota of %s and used again; it has %s', q.times, pg_catalog.pg_size_pretty(i.memory_quota),
                       pg_catalog.pg_size_pretty(i.size)),
     pg_catalog.format('ALTER INDEX %s SET (memory_quota = ''%skB'')', i.name, i.size / 1024 + 1),
     pg_catalog.format('%s loads, of %s ms and the reads that follow each', q.times, pg_catalog.round(i.load_time::pg_catalog.numeric, 1))),
    ('reindex: low fill', i.is_built AND i.pages >= 64 AND i.fill < '0.4'::pg_catalog.float8,
     pg_catalog.format('its leaves are %s %% full', pg_catalog.round((i.fill * '100'::pg_catalog.float8)::pg_catalog.numeric)),
     pg_catalog.format('REINDEX INDEX CONCURRENTLY %s', i.name),
     pg_catalog.format('about %s', pg_catalog.pg_size_pretty((('1' - i.fill::pg_catalog.numeric / '0.9') * i.size::pg_catalog.numeric)::pg_catalog.int8))),
    ('reindex: overlap grown', w.now >= '2'::pg_catalog.float8 * i.built_crowding,
     pg_catalog.format('%s of the upper nodes lie over one place, where it were %s when it was built', pg_catalog.round(w.now::pg_catalog.numeric, 1),
                       pg_catalog.round(i.built_crowding::pg_catalog.numeric, 1)),
     pg_catalog.format('REINDEX INDEX CONCURRENTLY %s', i.name),
     pg_catalog.format('about %s %% of the pages that scans visit, as far as the rows are what they were',
                       pg_catalog.round(('100'::pg_catalog.float8 * ('1'::pg_catalog.float8 - i.built_crowding / w.now))::pg_catalog.numeric))),
    ('reindex: clusters outgrown', i.is_built AND i.vectors >= 4000 AND i.outgrown_vectors > i.vectors / 2,
     pg_catalog.format('%s of its %s vectors are in clusters that were made for less than an eighth of them, or from none', i.outgrown_vectors, i.vectors),
     pg_catalog.format('REINDEX INDEX CONCURRENTLY %s', i.name),
     'searches look at fewer codes before they find what is near; VACUUM makes clusters for new rows alone'),
    ('reindex: clusters drifted', i.is_built AND i.vectors >= 4000 AND i.drift >= '1.5'::pg_catalog.float8,
     pg_catalog.format('its vectors are %s times as far from the centroids of their clusters as those that these were made from', pg_catalog.round(i.drift::pg_catalog.numeric, 1)),
     pg_catalog.format('REINDEX INDEX CONCURRENTLY %s', i.name),
     'searches look at fewer codes before they find what is near, and find more of it where they are approximate'),
    ('leave columns out', f.indexrelid IS NOT NULL AND f.other IS NULL,
     pg_catalog.format('%s scans, and none with a condition on %s', i.watched_scans, f.unasked),
     pg_catalog.format('CREATE INDEX CONCURRENTLY ON %s USING xtree (%s)%s%s', i.table_name, f.columns, ' INCLUDE (' || f.included || ')', ' WITH (' || f.options || ')'),
     pg_catalog.format('leaves that are cut along the columns that scans ask for alone: fewer of them a scan; and then the %s of this index',
                       pg_catalog.pg_size_pretty(i.size))),
    ('drop: columns left out', f.other IS NOT NULL,
     pg_catalog.format('%s has the columns that its %s scans asked for, and not %s', fo.name, i.watched_scans, f.unasked),
     pg_catalog.format('DROP INDEX CONCURRENTLY %s', i.name),
     pg_catalog.format('%s, and an insertion for each row written', pg_catalog.pg_size_pretty(i.size))),
    ('raise key_bytes', l.indexrelid IS NOT NULL AND l.other IS NULL,
     pg_catalog.format('%s rows have the same key of %s bytes, more than twice as many as have the same value', pg_catalog.round(i.rows_per_key::pg_catalog.numeric, 1),
                       8 * i.dimensions),
     pg_catalog.format('CREATE INDEX CONCURRENTLY ON %s USING xtree (%s)%s%s', i.table_name, l.columns, ' INCLUDE (' || l.included || ')', ' WITH (' || l.options || ')'),
     pg_catalog.format('rows of other values, which scans for one fetch and throw away; and then the %s of this index', pg_catalog.pg_size_pretty(i.size))),
    ('drop: short keys', l.other IS NOT NULL,
     pg_catalog.format('%s has longer keys of the same column; of this one %s rows share each', lo.name, pg_catalog.round(i.rows_per_key::pg_catalog.numeric, 1)),
     pg_catalog.format('DROP INDEX CONCURRENTLY %s', i.name),
     pg_catalog.format('%s, and an insertion for each row written', pg_catalog.pg_size_pretty(i.size))),
    ('drop: reads most of itself', i.is_built AND i.pages >= 64 AND i.scans >= 100 AND i.asked_values IS FALSE AND NOT i.is_needed AND i.observed >= i.after
       AND (i.mapped_reads + i.buffer_reads) / i.scans > i.pages / 3,
     pg_catalog.format('a scan reads %s of its %s pages: queries restrict too few of its %s dimensions, or ask for most rows', (i.mapped_reads + i.buffer_reads) / nullif(i.scans, 0),
                       i.pages, i.dimensions),
     pg_catalog.format('DROP INDEX CONCURRENTLY %s', i.name),
     pg_catalog.format('%s, and an insertion for each row written; a sequential scan reads the %s pages of the table, which is as good', pg_catalog.pg_size_pretty(i.size),
                       i.table_pages)),
    ('use a B-tree', i.is_built AND y.is_scalar AND i.first_column IS NOT NULL AND NOT i.is_needed AND i.table_pages > 8,
     'one column of a type with an order: a B-tree answers everything but neighbours, and keeps it sorted',
     pg_catalog.format('CREATE INDEX CONCURRENTLY ON %s USING btree (%I)', i.table_name, coalesce(i.first_column, ''::pg_catalog.name)),
     'sorts, merge joins and uniqueness come with it'),
    ('drop: small table', i.is_built AND i.table_pages BETWEEN 1 AND 4 AND NOT i.is_needed AND i.observed >= i.after,
     pg_catalog.format('the table has %s pages: no index is faster than reading them', i.table_pages),
     pg_catalog.format('DROP INDEX CONCURRENTLY %s', i.name),
     pg_catalog.format('%s, and an insertion for each row written', pg_catalog.pg_size_pretty(i.size)))
  ) r(advice, applies, reason, statement, saves)
WHERE r.applies
UNION ALL
SELECT NULL, NULL, NULL, NULL, r.advice, r.reason, r.statement, r.saves
FROM server s
  CROSS JOIN (SELECT coalesce(pg_catalog.sum(size), 0)::pg_catalog.int8 AS size, coalesce(pg_catalog.sum(resident_bytes), 0)::pg_catalog.int8 AS resident_bytes,
                coalesce(pg_catalog.sum(mapped_reads), 0)::pg_catalog.int8 AS mapped_reads,
                coalesce(pg_catalog.sum(buffer_reads), 0)::pg_catalog.int8 AS buffer_reads FROM used) a
  CROSS JOIN (SELECT coalesce(pg_catalog.sum(times), 0)::pg_catalog.int8 AS times, count(DISTINCT indexrelid) AS indexes
              FROM evicted WHERE reason = 'memory budget') e
  CROSS JOIN (SELECT count(*) AS pages FROM pg_stat_xtree_pages WHERE suggestion = 'pin') h
  CROSS JOIN LATERAL (VALUES
    ('raise xtree.memory_budget', e.times >= 3,
     pg_catalog.format('%s evictions of %s indexes that were used again: the budget is %s, all indexes of this database have %s', e.times, e.indexes,
                       pg_catalog.pg_size_pretty(s.memory_budget), pg_catalog.pg_size_pretty(a.size)),
     pg_catalog.format('ALTER SYSTEM SET xtree.memory_budget = %L', pg_catalog.format('%skB', 11 * greatest(a.size, s.memory_budget) / 10240)),
     pg_catalog.format('%s loads, and the reads that follow each', e.times)),
    ('raise the limit of locked memory', s.pin_failures > 0 AND s.memlock_limit < s.pin_memory_limit,
     pg_catalog.format('%s times pages could not be locked: the operating system allows %s, xtree.pin_memory_limit is %s', s.pin_failures,
                       pg_catalog.pg_size_pretty(s.memlock_limit), pg_catalog.pg_size_pretty(s.pin_memory_limit)),
     pg_catalog.format('-- in the service of the server: LimitMEMLOCK=%s', s.pin_memory_limit),
     'reads of pages that the system took for something else'),
    ('raise xtree.pin_memory_limit', h.pages > 0 AND s.pin_memory_limit > 0
       AND s.pinned_bytes::pg_catalog.float8 >= '0.9'::pg_catalog.float8 * s.pin_memory_limit::pg_catalog.float8,
     pg_catalog.format('%s hot pages are not pinned, and %s of %s are used', h.pages, pg_catalog.pg_size_pretty(s.pinned_bytes),
                       pg_catalog.pg_size_pretty(s.pin_memory_limit)),
     pg_catalog.format('ALTER SYSTEM SET xtree.pin_memory_limit = %L',
                       pg_catalog.format('%skB', (s.pin_memory_limit + 2 * 8192 * h.pages) / 1024)),
     'reads of hot pages that the system took for something else'),
    ('turn mapping off', s.mapping = 'on' AND a.mapped_reads + a.buffer_reads >= 10000 AND a.mapped_reads < (a.mapped_reads + a.buffer_reads) / 10,
     pg_catalog.format('%s of %s pages were read through mappings: others had changed since the last checkpoint, or were read by index-only scans',
                       a.mapped_reads, a.mapped_reads + a.buffer_reads),
     pg_catalog.format('ALTER DATABASE %I SET xtree.use_mmap = off', pg_catalog.current_database()),
     pg_catalog.format('loading, the mappings of each session and %s in the page cache beside shared buffers', pg_catalog.pg_size_pretty(a.resident_bytes)))
  ) r(advice, applies, reason, statement, saves)
WHERE r.applies;
COMMENT ON VIEW xtree_recommendations IS 'what to do about the xtree indexes of the current database, by their use: why, with which statement, and what it saves';
COMMENT ON COLUMN xtree_recommendations.indexrelid IS 'index; NULL of what concerns the whole server';
COMMENT ON COLUMN xtree_recommendations.schemaname IS 'its schema';
COMMENT ON COLUMN xtree_recommendations.relname IS 'name of its table';
COMMENT ON COLUMN xtree_recommendations.indexrelname IS 'its name';
COMMENT ON COLUMN xtree_recommendations.advice IS 'what to do, in a few words';
COMMENT ON COLUMN xtree_recommendations.reason IS 'why, in figures';
COMMENT ON COLUMN xtree_recommendations.statement IS 'the statement that carries it out';
COMMENT ON COLUMN xtree_recommendations.saves IS 'what that is expected to save';
GRANT SELECT ON xtree_recommendations TO PUBLIC;

-- Pictures and the report.

CREATE FUNCTION xtree_svg(index pg_catalog.regclass, dimensions pg_catalog.int4[] DEFAULT NULL,
  min_level pg_catalog.int4 DEFAULT 0, max_level pg_catalog.int4 DEFAULT NULL,
  window_lower pg_catalog.float8[] DEFAULT NULL, window_upper pg_catalog.float8[] DEFAULT NULL,
  width pg_catalog.int4 DEFAULT 800, height pg_catalog.int4 DEFAULT 600, max_boxes pg_catalog.int4 DEFAULT 2000)
RETURNS pg_catalog.text
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION xtree_svg(pg_catalog.regclass, pg_catalog.int4[], pg_catalog.int4, pg_catalog.int4, pg_catalog.float8[], pg_catalog.float8[], pg_catalog.int4, pg_catalog.int4, pg_catalog.int4) IS
  'a picture (SVG) of the boxes of an xtree index by level: over two of its dimensions, numbered from 1 (NULL: the first two), or over one beside the level; with the window of a query, a bound for each dimension (NULL: open), the pages that it visits are marked';

-- History: pg_stat_xtree_history, pg_stat_xtree_usage and xtree_forecast().

CREATE FUNCTION xtree_index_history(index pg_catalog.oid, OUT sampled_at pg_catalog.timestamptz, OUT period pg_catalog.interval,
  OUT size pg_catalog.int8, OUT resident_bytes pg_catalog.int8, OUT scans pg_catalog.int8, OUT tuples pg_catalog.int8, OUT reads pg_catalog.int8,
  OUT hit_rate pg_catalog.float8, OUT writes pg_catalog.int8, OUT loads pg_catalog.int8, OUT load_time pg_catalog.float8,
  OUT evictions pg_catalog.int8, OUT overlap pg_catalog.float8)
RETURNS SETOF pg_catalog.record
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT ROWS 700;

CREATE VIEW pg_stat_xtree_history AS
SELECT i.oid AS indexrelid, n.nspname AS schemaname, t.relname, i.relname AS indexrelname, h.*
FROM pg_catalog.pg_class i
  JOIN pg_catalog.pg_am m ON m.oid = i.relam AND m.amname = 'xtree'
  JOIN pg_catalog.pg_index x ON x.indexrelid = i.oid
  JOIN pg_catalog.pg_class t ON t.oid = x.indrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = i.relnamespace
  CROSS JOIN LATERAL xtree_index_history(i.oid) h
WHERE i.relkind = 'i';
COMMENT ON VIEW pg_stat_xtree_history IS 'samples of each xtree index of the current database, one for each xtree.history_interval; none where xtree is not preloaded';
COMMENT ON COLUMN pg_stat_xtree_history.indexrelid IS 'index';
COMMENT ON COLUMN pg_stat_xtree_history.schemaname IS 'its schema';
COMMENT ON COLUMN pg_stat_xtree_history.relname IS 'name of its table';
COMMENT ON COLUMN pg_stat_xtree_history.indexrelname IS 'its name';
COMMENT ON COLUMN pg_stat_xtree_history.sampled_at IS 'when the sample was taken';
COMMENT ON COLUMN pg_stat_xtree_history.period IS 'time since the sample before, for which the counts are; NULL, as they are, of the first one';
COMMENT ON COLUMN pg_stat_xtree_history.size IS 'bytes of its file then';
COMMENT ON COLUMN pg_stat_xtree_history.resident_bytes IS 'of them in memory';
COMMENT ON COLUMN pg_stat_xtree_history.scans IS 'index scans';
COMMENT ON COLUMN pg_stat_xtree_history.tuples IS 'index entries that they returned';
COMMENT ON COLUMN pg_stat_xtree_history.reads IS 'pages read, through mappings and shared buffers';
COMMENT ON COLUMN pg_stat_xtree_history.hit_rate IS 'share of them that was in memory, 0 to 1';
COMMENT ON COLUMN pg_stat_xtree_history.writes IS 'rows written to the table that its indexes took, where track_counts is on';
COMMENT ON COLUMN pg_stat_xtree_history.loads IS 'times that a session mapped it';
COMMENT ON COLUMN pg_stat_xtree_history.load_time IS 'milliseconds that its last load took';
COMMENT ON COLUMN pg_stat_xtree_history.evictions IS 'times that the worker evicted it';
COMMENT ON COLUMN pg_stat_xtree_history.overlap IS 'nodes of its upper levels that lie over one place: 1 where they are apart';

CREATE FUNCTION xtree_index_usage(index pg_catalog.oid, OUT samples pg_catalog.int4, OUT since pg_catalog.timestamptz, OUT use pg_catalog.text,
  OUT pattern pg_catalog.text, OUT period pg_catalog.interval, OUT begins_at pg_catalog.interval, OUT next_use pg_catalog.timestamptz,
  OUT usual_scans pg_catalog.int8, OUT unusual pg_catalog.text)
RETURNS SETOF pg_catalog.record
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT ROWS 1;

CREATE VIEW pg_stat_xtree_usage AS
SELECT i.oid AS indexrelid, n.nspname AS schemaname, t.relname, i.relname AS indexrelname, u.*
FROM pg_catalog.pg_class i
  JOIN pg_catalog.pg_am m ON m.oid = i.relam AND m.amname = 'xtree'
  JOIN pg_catalog.pg_index x ON x.indexrelid = i.oid
  JOIN pg_catalog.pg_class t ON t.oid = x.indrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = i.relnamespace
  CROSS JOIN LATERAL xtree_index_usage(i.oid) u
WHERE i.relkind = 'i';
COMMENT ON VIEW pg_stat_xtree_usage IS 'how each xtree index of the current database is used, by its history: one row for each that has one';
COMMENT ON COLUMN pg_stat_xtree_usage.indexrelid IS 'index';
COMMENT ON COLUMN pg_stat_xtree_usage.schemaname IS 'its schema';
COMMENT ON COLUMN pg_stat_xtree_usage.relname IS 'name of its table';
COMMENT ON COLUMN pg_stat_xtree_usage.indexrelname IS 'its name';
COMMENT ON COLUMN pg_stat_xtree_usage.samples IS 'samples in its history';
COMMENT ON COLUMN pg_stat_xtree_usage.since IS 'time of the first one';
COMMENT ON COLUMN pg_stat_xtree_usage.use IS 'read-mostly (ten scans or more for each row written), write-mostly (the reverse), mixed or idle; NULL: fewer than 12 intervals are known';
COMMENT ON COLUMN pg_stat_xtree_usage.pattern IS 'periodic, bursty (a tenth of the time has four fifths of the scans) or steady; NULL: never scanned, or fewer than 24 intervals are known';
COMMENT ON COLUMN pg_stat_xtree_usage.period IS 'of a periodic use: an hour, a day or a week';
COMMENT ON COLUMN pg_stat_xtree_usage.begins_at IS 'of a periodic use: when it begins, after the full hour, midnight, or midnight before Saturday, in the time zone of the session';
COMMENT ON COLUMN pg_stat_xtree_usage.next_use IS 'of a periodic use: when it is expected next';
COMMENT ON COLUMN pg_stat_xtree_usage.usual_scans IS 'median of the scans in an interval';
COMMENT ON COLUMN pg_stat_xtree_usage.unusual IS 'what was far beyond its usual range in the last interval: scans, pages read, evictions, time to load or overlap; NULL: nothing, or fewer than 24 samples to compare with';

CREATE FUNCTION xtree_forecast(ahead pg_catalog.interval DEFAULT '30 days', OUT index pg_catalog.regclass, OUT tablespace pg_catalog.oid,
  OUT size pg_catalog.int8, OUT expected_size pg_catalog.int8, OUT least_size pg_catalog.int8, OUT most_size pg_catalog.int8,
  OUT size_per_day pg_catalog.int8, OUT resident_bytes pg_catalog.int8, OUT expected_resident_bytes pg_catalog.int8,
  OUT least_resident_bytes pg_catalog.int8, OUT most_resident_bytes pg_catalog.int8, OUT resident_per_day pg_catalog.int8,
  OUT disk_full_at pg_catalog.timestamptz, OUT budget_met_at pg_catalog.timestamptz)
RETURNS SETOF pg_catalog.record
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT ROWS 100;
COMMENT ON FUNCTION xtree_forecast(pg_catalog.interval) IS
  'size and memory of the xtree indexes of this database so far ahead, by the trend of their history, with a range in which 90 of 100 lie; of each index, of each tablespace (index NULL) and of the server (both NULL); when the disk of the tablespace is full by their growth alone, and when the memory budget is met';

GRANT SELECT ON pg_stat_xtree_history, pg_stat_xtree_usage TO PUBLIC;
COMMENT ON COLUMN pg_stat_xtree_events.kind IS 'load, unload, evict, pin, unpin, admit, failure, removed, worker, build or unusual';

CREATE FUNCTION xtree_report(pictures pg_catalog.int4 DEFAULT 4, indexes pg_catalog.int4 DEFAULT 200, events pg_catalog.int4 DEFAULT 50)
RETURNS pg_catalog.text
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT
SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' SET datestyle = 'ISO';
COMMENT ON FUNCTION xtree_report(pg_catalog.int4, pg_catalog.int4, pg_catalog.int4) IS
  'a web page (HTML, complete in itself) on the xtree indexes of this database, as the caller may see them: memory, states, use, events, settings, pictures of so many of the caller''s own, at most so many indexes and events';

-- What an index would be like, before it is built.

CREATE FUNCTION xtree_estimate(statement pg_catalog.text,
  OUT rows pg_catalog.int8, OUT sampled pg_catalog.int8, OUT size pg_catalog.int8, OUT height pg_catalog.int4,
  OUT memory pg_catalog.int8, OUT memory_suffices pg_catalog.bool, OUT least_time pg_catalog.interval, OUT most_time pg_catalog.interval)
RETURNS pg_catalog.record
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION xtree_estimate(pg_catalog.text) IS
  'what the index of a CREATE INDEX statement would be like, from a sample of the rows: rows, bytes and height (levels) of the index; memory: bytes of maintenance_work_mem with which its build needs no temporary files, and whether there are so many now; and between which times the build takes';

CREATE FUNCTION xtree_estimate(relation pg_catalog.regclass, VARIADIC columns pg_catalog.text[],
  OUT rows pg_catalog.int8, OUT sampled pg_catalog.int8, OUT size pg_catalog.int8, OUT height pg_catalog.int4,
  OUT memory pg_catalog.int8, OUT memory_suffices pg_catalog.bool, OUT least_time pg_catalog.interval, OUT most_time pg_catalog.interval)
RETURNS pg_catalog.record
AS 'MODULE_PATHNAME', 'xtree_estimate_columns' LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION xtree_estimate(pg_catalog.regclass, pg_catalog.text[]) IS
  'the same of an index of a table on these columns, each as in CREATE INDEX: a name or an expression in parentheses, with its operator class if need be';

-- Metrics for Prometheus.

CREATE FUNCTION xtree_metrics() RETURNS pg_catalog.text
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION xtree_metrics() IS
  'what the views pg_stat_xtree_* tell, as metrics in the text format of Prometheus: of the indexes of this database with most scans, at most xtree.metrics_max_indexes, of all of them together, and of the server';

-- Vectors: distances by inner product and by cosine.

CREATE FUNCTION xtree_negative_inner_product(pg_catalog.float4[], pg_catalog.float4[]) RETURNS pg_catalog.float8
AS 'MODULE_PATHNAME', 'xtree_float4_negative_inner_product' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION xtree_negative_inner_product(pg_catalog.float4[], pg_catalog.float4[]) IS 'negative inner product of two vectors of the same length: least where they agree most';
CREATE FUNCTION xtree_cosine_distance(pg_catalog.float4[], pg_catalog.float4[]) RETURNS pg_catalog.float8
AS 'MODULE_PATHNAME', 'xtree_float4_cosine_distance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION xtree_cosine_distance(pg_catalog.float4[], pg_catalog.float4[]) IS '1 less the cosine of the angle between two vectors of the same length; NaN where one of them has no direction';
CREATE OPERATOR <#> (FUNCTION = xtree_negative_inner_product, LEFTARG = pg_catalog.float4[], RIGHTARG = pg_catalog.float4[], COMMUTATOR = <#>);
CREATE OPERATOR <=> (FUNCTION = xtree_cosine_distance, LEFTARG = pg_catalog.float4[], RIGHTARG = pg_catalog.float4[], COMMUTATOR = <=>);
ALTER OPERATOR FAMILY float4_vector_ops USING xtree ADD
  OPERATOR 17 <#> (pg_catalog.float4[], pg_catalog.float4[]) FOR ORDER BY pg_catalog.float_ops,
  OPERATOR 18 <=> (pg_catalog.float4[], pg_catalog.float4[]) FOR ORDER BY pg_catalog.float_ops;
CREATE FUNCTION xtree_negative_inner_product(pg_catalog.float8[], pg_catalog.float8[]) RETURNS pg_catalog.float8
AS 'MODULE_PATHNAME', 'xtree_float8_negative_inner_product' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION xtree_negative_inner_product(pg_catalog.float8[], pg_catalog.float8[]) IS 'negative inner product of two vectors of the same length: least where they agree most';
CREATE FUNCTION xtree_cosine_distance(pg_catalog.float8[], pg_catalog.float8[]) RETURNS pg_catalog.float8
AS 'MODULE_PATHNAME', 'xtree_float8_cosine_distance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION xtree_cosine_distance(pg_catalog.float8[], pg_catalog.float8[]) IS '1 less the cosine of the angle between two vectors of the same length; NaN where one of them has no direction';
CREATE OPERATOR <#> (FUNCTION = xtree_negative_inner_product, LEFTARG = pg_catalog.float8[], RIGHTARG = pg_catalog.float8[], COMMUTATOR = <#>);
CREATE OPERATOR <=> (FUNCTION = xtree_cosine_distance, LEFTARG = pg_catalog.float8[], RIGHTARG = pg_catalog.float8[], COMMUTATOR = <=>);
ALTER OPERATOR FAMILY float8_vector_ops USING xtree ADD
  OPERATOR 17 <#> (pg_catalog.float8[], pg_catalog.float8[]) FOR ORDER BY pg_catalog.float_ops,
  OPERATOR 18 <=> (pg_catalog.float8[], pg_catalog.float8[]) FOR ORDER BY pg_catalog.float_ops;

CREATE FUNCTION xtree_cluster_info(index pg_catalog.regclass,
  OUT "column" pg_catalog.name, OUT dimensions pg_catalog.int4, OUT generation pg_catalog.int4, OUT clusters pg_catalog.int4,
  OUT rows pg_catalog.int8, OUT trained_rows pg_catalog.int8, OUT sampled_rows pg_catalog.int8, OUT distance pg_catalog.float8,
  OUT drift pg_catalog.float8)
RETURNS SETOF pg_catalog.record
AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
COMMENT ON FUNCTION xtree_cluster_info(pg_catalog.regclass) IS
  'clusters of an index that keeps vectors so, a row for each generation, the oldest first; none for others. rows: in them now, by a sample of its pages; trained_rows: that the table had when the clusters were made, NULL where they were made without rows; sampled_rows: that they were made from; distance: the mean distance of today''s rows from their centroids; drift: that distance beside the one of the rows that the clusters were made from (1: as then)';

CREATE FUNCTION xtree_recall(index pg_catalog.regclass, k pg_catalog.int4 DEFAULT 10, queries pg_catalog.int4 DEFAULT 100,
  distance pg_catalog.text DEFAULT '<->',
  OUT recall pg_catalog.float8, OUT milliseconds pg_catalog.float8, OUT exact_milliseconds pg_catalog.float8)
AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
COMMENT ON FUNCTION xtree_recall(pg_catalog.regclass, pg_catalog.int4, pg_catalog.int4, pg_catalog.text) IS
  'share of the k nearest rows, 0 to 1, that searches with this session''s settings find in an index of clusters, and mean milliseconds of such a search and of an exact one: of so many rows of the table, each of which looks for its neighbours by this distance; NULL without rows';
