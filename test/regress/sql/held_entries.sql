-- Entries that INSERT ... SELECT and COPY hold back until they end: whoever looks, sees every row in the index, and what is rolled back is not in it.
LOAD 'xtree';
SET enable_seqscan = off;
SET enable_bitmapscan = off;
CREATE TABLE held (i int, p point);
CREATE INDEX held_p ON held USING xtree (p);
INSERT INTO held SELECT i, point(i % 100, i / 100) FROM generate_series(0, 9999) i;
SELECT xtree_check('held_p', true);

-- Entries of the index: neither one too many nor one too few.
CREATE VIEW entries AS SELECT sum(entries) AS entries FROM xtree_nodes('held_p') WHERE level = 0;

-- How many rows the index finds.
CREATE FUNCTION found() RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  n bigint;
BEGIN
  SELECT count(*) INTO n FROM held WHERE p <@ box '(-1,-1,1000,1000)';
  RETURN n;
END $$;
SELECT found();

-- Functions of the statement itself see the rows that it has inserted so far: also by a query that is open already, and where batches are given up.
CREATE TABLE seen (i int, n bigint);
CREATE FUNCTION note(i int) RETURNS point LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  IF i IN (10, 11, 12, 100, 101, 102, 103, 104, 105) THEN INSERT INTO seen SELECT note.i, found(); END IF;
  RETURN point(i % 100, 200);
END $$;
INSERT INTO held SELECT 10000 + i, note(i) FROM generate_series(0, 199) i;
SELECT i, n, 10000 + i - n AS missing FROM seen ORDER BY i;
SELECT found();
SELECT xtree_check('held_p', true);

-- A trigger before each row, and one after the statement.
CREATE FUNCTION count_before() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF new.i % 50 = 49 THEN RAISE NOTICE 'before row %: %', new.i, found(); END IF;
  RETURN new;
END $$;
CREATE FUNCTION count_after() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE NOTICE 'after the statement: %', found();
  RETURN NULL;
END $$;
CREATE TRIGGER before_row BEFORE INSERT ON held FOR EACH ROW EXECUTE FUNCTION count_before();
CREATE TRIGGER after_all AFTER INSERT ON held FOR EACH STATEMENT EXECUTE FUNCTION count_after();
INSERT INTO held SELECT 20000 + i, point(i, 300) FROM generate_series(0, 99) i;
COPY held FROM stdin WITH (DELIMITER '|');
30047|(0,400)
30048|(1,400)
30049|(2,400)
\.
DROP TRIGGER before_row ON held;
DROP TRIGGER after_all ON held;
SELECT xtree_check('held_p', true);

-- An ERROR in the middle: nothing of the statement is in the index. The next rows may get the addresses of those.
INSERT INTO held SELECT 40000 + i, point(i, 500 + 1 / (500 - i)) FROM generate_series(0, 999) i;
SELECT found();
COPY held FROM stdin WITH (DELIMITER '|');
50000|(0,600)
50001|(1,600)
50002|(2,
\.
SELECT found();
SELECT * FROM entries;
SELECT xtree_check('held_p', true);

-- Subtransactions within the statement: a nested INSERT that fails is forgotten, what the outer one holds is not.
CREATE FUNCTION nested(i int, fails bool) RETURNS point LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  IF i % 10 = 5 THEN
    BEGIN
      INSERT INTO held SELECT 60000 + 100 * i + j, point(i, 700 + j + CASE WHEN fails THEN 1 / (20 - j) ELSE 0 END) FROM generate_series(1, 30) j;
    EXCEPTION WHEN division_by_zero THEN NULL;
    END;
  END IF;
  RETURN point(i, 650);
END $$;
INSERT INTO held SELECT i, nested(i, i % 20 = 5) FROM generate_series(0, 99) i;
SELECT found();
SELECT xtree_check('held_p', true);
SELECT * FROM entries;
SELECT count(*) FILTER (WHERE p[1] = 650) AS outside, count(*) FILTER (WHERE p[1] > 700) AS within FROM held WHERE p <@ box '(-1,649,1000,1000)';

-- The same with savepoints around statements, and a transaction that is rolled back.
BEGIN;
SAVEPOINT one;
INSERT INTO held SELECT i, point(i, 800) FROM generate_series(0, 99) i;
ROLLBACK TO one;
SELECT found();
INSERT INTO held SELECT i, point(i, 810) FROM generate_series(0, 99) i;
SAVEPOINT two;
INSERT INTO held SELECT i, nested(i, true) FROM generate_series(0, 9) i;
SELECT found();
ROLLBACK TO two;
SELECT found();
COMMIT;
SELECT found();
SELECT xtree_check('held_p', true);

-- A cursor that is older than the statement goes on within it.
CREATE FUNCTION fetch_old(c refcursor) RETURNS point LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  r record;
BEGIN
  FETCH c INTO r;
  RETURN r.p + point(0, 900);
END $$;
BEGIN;
DECLARE old CURSOR FOR SELECT p FROM held WHERE p <@ box '(0,0,99,0)';
INSERT INTO held SELECT i, fetch_old('old') FROM generate_series(0, 49) i;
COMMIT;
SELECT count(*) FROM held WHERE p <@ box '(0,900,99,900)';

-- Functions of ours that look at the index without a query of their own.
CREATE FUNCTION checked(i int) RETURNS point LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  checks text;
BEGIN
  IF i % 40 = 39 THEN checks := xtree_check('held_p', true)::text; END IF;  -- an assignment that is no query sees the rows so far, too
  RETURN point(i, 920);
END $$;
INSERT INTO held SELECT i, checked(i) FROM generate_series(0, 99) i;
INSERT INTO held SELECT i, point((SELECT sum(entries) FROM xtree_nodes(CASE WHEN i >= 0 THEN 'held_p' END) WHERE level = 0), 930) FROM generate_series(0, 9) i;
SELECT max(p[0]) - min(p[0]) AS more FROM held WHERE p <@ box '(0,930,1000000,930)';

-- What goes in at the end is counted: by EXPLAIN for the statement's node, by pg_stat_statements for the statement.
CREATE FUNCTION index_records(statement text) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  plan json;
BEGIN
  EXECUTE 'EXPLAIN (ANALYZE, WAL, FORMAT json) ' || statement INTO plan;
  RETURN (plan->0->'Plan'->>'WAL Records')::int - (plan->0->'Plan'->'Plans'->0->>'Actual Rows')::float8;
END $$;
SELECT index_records('INSERT INTO held SELECT i, point(i, 940) FROM generate_series(0, 99) i') > 0 AS counted;

-- More than work_mem holds; columns of INCLUDE, NULL, partitions, several indexes.
SET work_mem = '64kB';
CREATE TABLE parts (i int, b box, t text) PARTITION BY RANGE (i);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (3000);
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (3000) TO (10000);
CREATE INDEX parts_b ON parts USING xtree (b) INCLUDE (t);
CREATE INDEX parts_i ON parts USING xtree (i, b);
INSERT INTO parts SELECT i, CASE WHEN i % 7 > 0 THEN box(point(i % 90, i / 90), point(i % 90 + i % 3, i / 90 + 1)) END, repeat('x', i % 40)
  FROM generate_series(0, 5999) i;
RESET work_mem;
SELECT xtree_check(i, true) FROM unnest(ARRAY['parts_1_b_t_idx', 'parts_2_b_t_idx', 'parts_1_i_b_idx', 'parts_2_i_b_idx']::regclass[]) i;
SELECT count(*), count(b) FROM parts WHERE i BETWEEN 0 AND 10000;

-- Exclusion constraints compare each row with those before.
CREATE TABLE excluded (b box, EXCLUDE USING xtree (b WITH &&));
INSERT INTO excluded SELECT box(point(i, 0), point(i + 0.5, 1)) FROM generate_series(1, 50) i;
INSERT INTO excluded SELECT box(point(i, 10), point(i + 1.5, 11)) FROM generate_series(1, 50) i;
INSERT INTO excluded SELECT box(point(i % 10, 10), point(i % 10 + 0.5, 11)) FROM generate_series(1, 50) i ON CONFLICT DO NOTHING;
SELECT count(*) FROM excluded;
SELECT xtree_check('excluded_b_excl', true);

-- SERIALIZABLE transactions, and rules with several statements.
BEGIN ISOLATION LEVEL SERIALIZABLE;
INSERT INTO held SELECT i, point(i, 950) FROM generate_series(0, 99) i;
COMMIT;
CREATE RULE twice AS ON INSERT TO seen DO ALSO INSERT INTO held SELECT new.i + j, point(j, 960) FROM generate_series(1, 20) j;
INSERT INTO seen SELECT i, 0 FROM generate_series(1, 5) i;
SELECT found();

-- UPDATE, and INSERT in WITH, hold nothing.
UPDATE held SET p = p + point(0, 1) WHERE p <@ box '(0,960,99,960)';
WITH new AS (INSERT INTO held SELECT i, point(i, 970) FROM generate_series(0, 9) i RETURNING p) SELECT count(*), found() - count(*) > 0 FROM new;
SELECT xtree_check('held_p', true);

-- Tables without WAL.
CREATE TEMP TABLE temporary (p point);
CREATE INDEX temporary_p ON temporary USING xtree (p);
INSERT INTO temporary SELECT point(i % 100, i / 100) FROM generate_series(0, 4999) i;
INSERT INTO temporary SELECT p FROM temporary;
SELECT xtree_check('temporary_p', true);
SELECT count(*) FROM temporary WHERE p <@ box '(0,0,100,100)';
DROP VIEW entries;
DROP TABLE held, seen, parts, excluded;
DROP FUNCTION found, note, count_before, count_after, nested, fetch_old, checked, index_records;
