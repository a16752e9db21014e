-- xtree_estimate: what an index would be like, against the index that CREATE INDEX makes.
-- Seen to fail: with a fillfactor that nobody reads; with payloads that are not counted.
SET max_parallel_maintenance_workers = 0;

-- What is said and what there is: rows, pages within 12 %, and height.
CREATE FUNCTION compare(statement text, OUT rows_right bool, OUT size_right bool, OUT height_right bool, OUT times_in_order bool, OUT sampled_all bool)
LANGUAGE plpgsql AS $$
DECLARE
  e record; name regclass;
  size int8; levels int4; entries int8;
BEGIN
  SELECT * INTO e FROM xtree_estimate(statement);
  EXECUTE statement;
  SELECT max(i.indexrelid) INTO name FROM pg_index i;
  size := pg_relation_size(name);
  SELECT max(i.height), max(i.entries) FILTER (WHERE i.level = 0) INTO levels, entries FROM xtree_index_info(name) i;
  EXECUTE 'DROP INDEX ' || name;
  rows_right := abs(e.rows - entries) <= 0.04 * entries;
  size_right := abs(e.size - size) <= 0.12 * size;
  height_right := e.height = levels;
  times_in_order := e.least_time > '0' AND e.most_time > e.least_time;
  sampled_all := e.sampled = e.rows;
  IF NOT (rows_right AND size_right AND height_right) THEN
    RAISE NOTICE '% is estimated to have % rows, % bytes, % levels; it has %, %, %', statement, e.rows, e.size, e.height, entries, size, levels;
  END IF;
END $$;

CREATE TABLE estimated AS
  SELECT i AS id, (hashint4(i) % 100000)::float8 AS f, point(hashint4(i) % 10000, hashint4(-i) % 10000) AS p,
    box(point(hashint4(i) % 10000, hashint4(-i) % 10000), point(hashint4(i) % 10000 + i % 7, hashint4(-i) % 10000 + i % 5)) AS b,
    int4range(hashint4(i) % 10000, hashint4(i) % 10000 + i % 20 + 1) AS r, 'name ' || hashint4(i) AS t,
    CASE WHEN i % 10 > 0 THEN i % 100 END AS few, ARRAY[hashint4(i) % 1000, hashint4(i + 1) % 1000, hashint4(i + 2) % 1000, hashint4(i + 3) % 1000]::float8[] AS v,
    repeat('x', abs(hashint4(i)) % 60) AS filler
  FROM generate_series(1, 120000) i;
SELECT pg_relation_size('estimated') / 8192 > 2000 AS is_sampled;

SELECT * FROM compare('CREATE INDEX ON estimated USING xtree (p)');
SELECT * FROM compare('CREATE INDEX ON estimated USING xtree (p) WITH (fillfactor = 50)');
SELECT * FROM compare('CREATE INDEX ON estimated USING xtree (b)');
SELECT * FROM compare('CREATE INDEX ON estimated USING xtree (r)');
SELECT * FROM compare('CREATE INDEX ON estimated USING xtree (id)');
SELECT * FROM compare('CREATE INDEX ON estimated USING xtree (id, f, p)');
SELECT * FROM compare('CREATE INDEX ON estimated USING xtree (t)');
SELECT * FROM compare('CREATE INDEX ON estimated USING xtree (few)');
SELECT * FROM compare('CREATE INDEX ON estimated USING xtree (v)');
SELECT * FROM compare('CREATE INDEX ON estimated USING xtree (v float8_vector_ops (dims = 4))');
SELECT * FROM compare('CREATE INDEX ON estimated USING xtree ((id + 1), lower(t)) WHERE few > 50');
SELECT * FROM compare('CREATE INDEX ON estimated USING xtree (p) INCLUDE (id, filler)');
-- through files, which have parts
SET maintenance_work_mem = '2MB';
SELECT * FROM compare('CREATE INDEX ON estimated USING xtree (id, f, p)');
RESET maintenance_work_mem;

-- Small tables are looked at whole, and then it is the tree.
CREATE TABLE small AS SELECT * FROM estimated WHERE id <= 3000;
CREATE TABLE none (LIKE estimated);
SELECT * FROM compare('CREATE INDEX ON small USING xtree (p)');
SELECT * FROM compare('CREATE INDEX ON small USING xtree (b, t)');
SELECT * FROM compare('CREATE INDEX ON none USING xtree (p)');
SELECT * FROM compare('CREATE INDEX ON none USING xtree (v)');

-- The same by columns. Memory.
SELECT rows, height, e.size = (xtree_estimate('CREATE INDEX ON small USING xtree (p, lower(t))')).size AS same, memory_suffices
  FROM xtree_estimate('small', 'p', '(lower(t))') e;
SELECT (xtree_estimate('small', '(v[1:2])')).size < (xtree_estimate('small', 'v')).size AS fewer_dimensions;
SET maintenance_work_mem = '1MB';
SELECT memory_suffices, memory > 1048576 AS wants_more FROM xtree_estimate('estimated', 'p');
RESET maintenance_work_mem;
SELECT (xtree_estimate('CREATE INDEX ON estimated USING xtree (p) INCLUDE (t, filler)')).memory > 2 * (xtree_estimate('estimated', 'p')).memory AS payloads_count;

-- Nothing is left, and a read only transaction may ask. Rows of this transaction count.
BEGIN;
DELETE FROM small WHERE id > 1000;
SET TRANSACTION READ ONLY;
SELECT rows FROM xtree_estimate('small', 'p');
ROLLBACK;
SELECT count(*) FROM pg_index WHERE indrelid = 'small'::regclass;

-- A partitioned table has the indexes of its partitions.
CREATE TABLE parted (other int, id int, p point) PARTITION BY RANGE (id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (2000);
CREATE TABLE parted_2 (p point, id int, other int);
ALTER TABLE parted ATTACH PARTITION parted_2 FOR VALUES FROM (2000) TO (9000);
INSERT INTO parted SELECT 1, id, p FROM small;
SELECT e.rows, e.size = (xtree_estimate('parted_1', 'p', 'other')).size + (xtree_estimate('parted_2', 'p', 'other')).size AS is_sum FROM xtree_estimate('parted', 'p', 'other') e;

-- What is refused.
CREATE VIEW looking AS SELECT * FROM small;
CREATE FUNCTION refusal(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE message text; hint text;
BEGIN
  EXECUTE 'SELECT ' || call;
  RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
  RETURN SQLSTATE || ' ' || message || coalesce(nullif(' (' || hint || ')', ' ()'), '');
END $$;
\pset format unaligned
SELECT call, refusal(call) FROM (VALUES
  ($$xtree_estimate('looking', 'p')$$),
  ($$xtree_estimate('small', 'q')$$),
  ($$xtree_estimate('small', 'ctid')$$),
  ($$xtree_estimate('small', 'id DESC')$$),
  ($$xtree_estimate('small', 'p, id')$$),
  ($$xtree_estimate('small', 'p) WHERE (id > 3')$$),
  ($$xtree_estimate('small', 'lower(')$$),
  ($$xtree_estimate('small', '(random())')$$),
  ($$xtree_estimate('small', 'p xtree_no_ops')$$),
  ($$xtree_estimate('small', 'id (dims = 3)')$$),
  ($$xtree_estimate('small', 'v float8_vector_ops (dims = 0)')$$),
  ($$xtree_estimate('small', '(''{}''::json)')$$),
  ($$xtree_estimate('small', NULL::text)$$),
  ($$xtree_estimate('small', VARIADIC '{}'::text[])$$),
  ($$xtree_estimate(0::regclass, 'p')$$),
  ($$xtree_estimate('CREATE INDEX ON small (id)')$$),
  ($$xtree_estimate('CREATE UNIQUE INDEX ON small USING xtree (id)')$$),
  ($$xtree_estimate('CREATE INDEX ON small USING xtree (id); DROP TABLE small')$$),
  ($$xtree_estimate('DROP TABLE small')$$),
  ($$xtree_estimate('CREATE INDEX ON small USING xtree (id) WITH (fillfactor = 3)')$$),
  ($$xtree_estimate('CREATE INDEX ON small USING xtree (id) INCLUDE ((t))')$$),
  ($$xtree_estimate('CREATE INDEX ON nowhere USING xtree (id)')$$),
  ($$xtree_estimate('small', VARIADIC array_fill('id'::text, ARRAY[40]))$$)) c(call);
\pset format aligned

-- Whoever may not read the columns learns nothing of them, nor who does not see all rows.
CREATE ROLE regress_asker;
GRANT SELECT (id, p) ON small TO regress_asker;
GRANT SELECT ON parted TO regress_asker;
SET ROLE regress_asker;
SELECT rows FROM xtree_estimate('small', 'p', '(id + 1)');
SELECT rows FROM xtree_estimate('small', 't');
SELECT rows FROM xtree_estimate('small', '(id + length(t))');
SELECT rows FROM xtree_estimate('CREATE INDEX ON small USING xtree (p) INCLUDE (t)');
SELECT rows FROM xtree_estimate('CREATE INDEX ON small USING xtree (p) WHERE t > ''n''');
SELECT rows FROM xtree_estimate('parted', 'p');
SELECT rows FROM xtree_estimate('parted_1', 'p');
RESET ROLE;
ALTER TABLE small ENABLE ROW LEVEL SECURITY;
SET ROLE regress_asker;
SELECT rows FROM xtree_estimate('small', 'p');
RESET ROLE;
SELECT rows FROM xtree_estimate('small', 'p');

DROP TABLE estimated, small, none, parted CASCADE;
DROP FUNCTION compare, refusal;
DROP ROLE regress_asker;
RESET max_parallel_maintenance_workers;
