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

-- Metrics for Prometheus.

CREATE FUNCTION xtree_metrics() RETURNS pg_catalog.text
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION xtree_metrics() IS
  'what the views pg_stat_xtree_* tell, as metrics in the text format of Prometheus: of the indexes of this database with most scans, at most xtree.metrics_max_indexes, of all of them together, and of the server';
