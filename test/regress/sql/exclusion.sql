-- Exclusion constraints over mixes of columns: what conflicts, when it is checked, and which rows never conflict.
-- Seen to fail: with conditions on the second column ignored, and with empty ranges that overlap.
\set VERBOSITY terse
SET timezone = 'UTC';

-- Rooms by number and by name, times of every range type.
CREATE TABLE bookings (id int GENERATED ALWAYS AS IDENTITY, room int, during tsrange, CONSTRAINT booked EXCLUDE USING xtree (room WITH =, during WITH &&));
INSERT INTO bookings (room, during) VALUES (1, '[2024-01-01 10:00,2024-01-01 11:00)'), (1, '[2024-01-01 11:00,2024-01-01 12:00)'), (2, '[2024-01-01 10:00,2024-01-01 12:00)');
INSERT INTO bookings (room, during) VALUES (1, '[2024-01-01 10:59:59.999999,2024-01-01 11:00]');
INSERT INTO bookings (room, during) VALUES (1, '[2024-01-01 12:00,infinity)'), (1, '(,2024-01-01 10:00)');
INSERT INTO bookings (room, during) VALUES (1, '[infinity,)');
INSERT INTO bookings (room, during) VALUES (1, '(,)');
INSERT INTO bookings (room, during) VALUES (3, '(,)'), (1, 'empty'), (1, 'empty'), (3, 'empty'), (NULL, '(,)'), (NULL, '(,)'), (3, NULL), (3, NULL), (NULL, NULL);
INSERT INTO bookings (room, during) VALUES (3, '[2024-01-01,2024-01-01]');
SELECT room, count(*) FROM bookings GROUP BY room ORDER BY room;

CREATE TABLE named (room text, during tstzrange, EXCLUDE USING xtree (room WITH =, during WITH &&));
INSERT INTO named VALUES ('blue', '[2024-03-31 00:30+00,2024-03-31 01:00+00)'), ('Blue', '[2024-03-31 00:30+00,2024-03-31 01:00+00)'), ('', '(,)'),
  (repeat('long ', 100) || 'a', '(,)'), (repeat('long ', 100) || 'b', '(,)');
INSERT INTO named VALUES ('blue', '[2024-03-31 02:59+02,2024-03-31 03:30+02)');
INSERT INTO named VALUES (repeat('long ', 100) || 'b', '[2024-01-01,2024-01-02)');
INSERT INTO named VALUES ('blue ', '[2024-03-31 02:59+02,2024-03-31 03:30+02)');

CREATE TABLE nights (room bpchar(5), during daterange, EXCLUDE USING xtree (room WITH =, during WITH &&));
INSERT INTO nights VALUES ('7', '[2024-02-28,2024-03-01)'), ('7', '(2024-02-29,2024-03-05]'), ('8', 'empty');
INSERT INTO nights VALUES ('7 ', '[2024-02-29,2024-02-29]');
INSERT INTO nights VALUES ('7', '[-infinity,2024-02-28)'), ('7', '[infinity,infinity]');
INSERT INTO nights VALUES ('7', '(,2000-01-01)');
SELECT xtree_check(c::regclass, true) FROM unnest(ARRAY['booked', 'named_room_during_excl', 'nights_room_during_excl']) c;

-- What conflicts is what a scan of the table finds: random bookings, one after the other, through multiranges and ranges, and at random moments by UPDATE.
SELECT setseed(0.5);
CREATE TABLE plan (id int, room int, during int4range, days int4multirange, EXCLUDE USING xtree (room WITH =, during WITH &&, days WITH &&));
CREATE FUNCTION random_range() RETURNS int4range LANGUAGE sql AS
  $$ SELECT CASE WHEN random() < 0.05 THEN 'empty' WHEN random() < 0.03 THEN '(,)' ELSE int4range(a, a + (random() * 20)::int, '[]') END FROM (SELECT (random() * 500)::int AS a OFFSET 0) s $$;
CREATE FUNCTION attempts(n int, OUT taken int, OUT refused int, OUT wrong int) LANGUAGE plpgsql AS $$
DECLARE
  new plan;
  conflict bool;
  done bool;
BEGIN
  taken := 0; refused := 0; wrong := 0;
  FOR i IN 1 .. n LOOP
    new := (i, CASE WHEN random() < 0.05 THEN NULL ELSE (random() * 5)::int END, random_range(), int4multirange(random_range(), random_range()));
    IF i % 4 = 0 THEN new.id := (random() * i)::int; END IF;
    SET LOCAL enable_indexscan = off;
    SET LOCAL enable_bitmapscan = off;
    conflict := EXISTS (SELECT FROM plan p WHERE p.room = new.room AND p.during && new.during AND p.days && new.days AND p.id <> new.id);
    BEGIN
      IF i % 4 = 0 THEN
        conflict := conflict AND EXISTS (SELECT FROM plan WHERE id = new.id);
        UPDATE plan SET (room, during, days) = (new.room, new.during, new.days) WHERE id = new.id;
      ELSE
        INSERT INTO plan SELECT new.*;
      END IF;
      done := true;
    EXCEPTION WHEN exclusion_violation THEN
      done := false;
    END;
    IF done THEN taken := taken + 1; ELSE refused := refused + 1; END IF;
    IF done = conflict THEN wrong := wrong + 1; END IF;
  END LOOP;
END $$;
SELECT taken > 500 AS taken, refused > 200 AS refused, wrong FROM attempts(2000);
SELECT count(*) FROM plan a JOIN plan b ON a.id < b.id AND a.room = b.room AND a.during && b.during AND a.days && b.days;
SELECT xtree_check('plan_room_during_days_excl', true);

-- Other operators: at most one species in a cage, one colour at a place, points, boxes, circles, polygons, vectors beside a number.
CREATE TABLE cages (cage int, species text, EXCLUDE USING xtree (cage WITH =, species WITH <>));
INSERT INTO cages VALUES (1, 'zebra'), (1, 'zebra'), (2, 'lion'), (1, NULL), (NULL, 'lion');
INSERT INTO cages VALUES (1, 'lion');
INSERT INTO cages VALUES (2, 'lion'), (3, 'zebra');
CREATE TABLE lamps (place point, colour int, EXCLUDE USING xtree (place WITH ~=, colour WITH <>));
INSERT INTO lamps VALUES ('(1,1)', 1), ('(1,1.0000005)', 1), ('(1,2)', 2), ('(NaN,1)', 1), ('(NaN,1.0000005)', 2);
INSERT INTO lamps VALUES ('(1.0000005,1)', 2);
INSERT INTO lamps VALUES ('(NaN,1)', 2);
CREATE TABLE desks (floor int, area box, EXCLUDE USING xtree (floor WITH =, area WITH &&));
INSERT INTO desks VALUES (1, '(0,0),(1,1)'), (1, '(1.00001,0),(2,1)'), (2, '(0,0),(1,1)'), (3, '(-Infinity,-Infinity),(Infinity,Infinity)');
INSERT INTO desks VALUES (1, '(0,1.0000005),(0.5,2)');
INSERT INTO desks VALUES (3, '(5,5),(5,5)');
CREATE TABLE tables (floor int, area circle, EXCLUDE USING xtree (area WITH &&, floor WITH =));
INSERT INTO tables VALUES (1, '<(0,0),1>'), (1, '<(1.9,1.9),1>'), (2, '<(0,0),1>');
INSERT INTO tables VALUES (1, '<(0,2),1>');
CREATE TABLE plots (area polygon, EXCLUDE USING xtree (area WITH &&));
INSERT INTO plots VALUES ('((0,0),(4,0),(0,4))'), ('((4,4),(4,3),(3,4))'), (NULL), (NULL);
INSERT INTO plots VALUES ('((1,1),(2,1),(1,2))');
CREATE TABLE numbers (n numeric, f float8, m money, EXCLUDE USING xtree (n WITH =, f WITH =, m WITH <>));
INSERT INTO numbers VALUES (1.0, 'NaN', 1), (1, '-0', 1), (1e400, 0, 1), (1e400 + 1, 0, 2), ('NaN', 1, 1);
INSERT INTO numbers VALUES (1.00, 'NaN', 2);
INSERT INTO numbers VALUES (1, 0, 3);
INSERT INTO numbers VALUES ('NaN', 1, 2);
SELECT xtree_check(c::regclass, true) FROM unnest(ARRAY['cages_cage_species_excl', 'lamps_place_colour_excl', 'desks_floor_area_excl', 'tables_area_floor_excl',
  'plots_area_excl', 'numbers_n_f_m_excl']) c;
-- An order is no condition. (Versions name operators otherwise.)
\set VERBOSITY sqlstate
CREATE TABLE sounds (v real[], EXCLUDE USING xtree (v WITH <->));
\set VERBOSITY terse

-- A predicate, an expression and INCLUDE; a constraint on rows that are there; the constraint's index is used by queries.
CREATE TABLE visits (id int, who text, at timestamp, cancelled bool DEFAULT false);
INSERT INTO visits SELECT i, 'p' || i % 10, timestamp '2024-01-01' + i * interval '7 minutes' FROM generate_series(1, 300) i;
ALTER TABLE visits ADD CONSTRAINT one_at_a_time EXCLUDE USING xtree (lower(who) WITH =, tsrange(at, at + interval '1 hour') WITH &&) INCLUDE (id) WHERE (NOT cancelled);
INSERT INTO visits VALUES (301, 'P1', timestamp '2024-01-01' + 11 * interval '7 minutes');
INSERT INTO visits VALUES (301, 'P1', timestamp '2024-01-01' + 11 * interval '7 minutes', true);
UPDATE visits SET cancelled = false WHERE id = 301;
UPDATE visits SET cancelled = true WHERE id = 11;
UPDATE visits SET cancelled = false WHERE id = 301;
INSERT INTO visits VALUES (302, 'p1', timestamp '2024-01-01' + 11 * interval '7 minutes') ON CONFLICT DO NOTHING;
INSERT INTO visits VALUES (302, 'p1', timestamp '2024-01-01' + 11 * interval '7 minutes') ON CONFLICT ON CONSTRAINT one_at_a_time DO NOTHING RETURNING id;
INSERT INTO visits VALUES (302, 'p1', timestamp '2024-01-01' + 11 * interval '7 minutes') ON CONFLICT ON CONSTRAINT one_at_a_time DO UPDATE SET who = 'x';
INSERT INTO visits SELECT 400 + i, 'new', timestamp '2025-01-01' + i * interval '40 minutes' FROM generate_series(1, 6) i ON CONFLICT DO NOTHING RETURNING id;
SELECT count(*) FROM visits;
SELECT (agree($$SELECT id FROM visits WHERE lower(who) = 'p1' AND tsrange(at, at + interval '1 hour') && '[2024-01-01 05:00,2024-01-01 12:00)' AND NOT cancelled$$)).*;
ALTER TABLE visits ADD EXCLUDE USING xtree (who WITH =, cancelled WITH <>);
SELECT xtree_check('one_at_a_time', true);

-- Deferred: two bookings change places, one moves out of and back into another's way, and what is still wrong at the end is refused.
CREATE TABLE swaps (id int, room int, during int4range,
  CONSTRAINT swap_late EXCLUDE USING xtree (room WITH =, during WITH &&) DEFERRABLE INITIALLY DEFERRED);
INSERT INTO swaps SELECT i, i % 5, int4range(i, i + 5) FROM generate_series(1, 500) i;
BEGIN;
UPDATE swaps SET room = CASE id WHEN 10 THEN 1 ELSE 0 END, during = CASE id WHEN 10 THEN int4range(11, 16) ELSE int4range(10, 15) END WHERE id IN (10, 11);
UPDATE swaps SET during = '[300,310)' WHERE id = 20;
UPDATE swaps SET during = int4range(20, 25) WHERE id = 20;
COMMIT;
BEGIN;
INSERT INTO swaps VALUES (501, 0, '[100,101)');
SAVEPOINT s;
SET CONSTRAINTS swap_late IMMEDIATE;
ROLLBACK TO s;
DELETE FROM swaps WHERE id = 100;
SET CONSTRAINTS swap_late IMMEDIATE;
INSERT INTO swaps VALUES (502, 0, '[100,101)');
ROLLBACK;
BEGIN;
INSERT INTO swaps VALUES (503, 0, '[100,101)');
COMMIT;
BEGIN;
INSERT INTO swaps VALUES (504, 9, '(,)'), (505, 9, 'empty');
SAVEPOINT s;
INSERT INTO swaps VALUES (506, 9, '[1,2)');
ROLLBACK TO s;
COMMIT;
INSERT INTO swaps VALUES (507, 1, '[1,2)') ON CONFLICT DO NOTHING;
SELECT id, room, during FROM swaps WHERE id IN (10, 11, 20) OR id > 500 ORDER BY id;
CREATE TABLE moves (id int, room int, during int4range, CONSTRAINT move_now EXCLUDE USING xtree (room WITH =, during WITH &&) DEFERRABLE INITIALLY IMMEDIATE);
INSERT INTO moves SELECT i, 1, int4range(i * 10, i * 10 + 10) FROM generate_series(1, 100) i;
UPDATE moves SET during = int4range(lower(during) + 10, upper(during) + 10);  -- each row meets the next one, but not at the end of the statement
UPDATE moves SET during = int4range(lower(during) + 5, upper(during) + 10) WHERE id = 3;
BEGIN;
SET CONSTRAINTS ALL DEFERRED;
UPDATE moves SET during = int4range(lower(during) + 5, upper(during) + 10) WHERE id = 3;
UPDATE moves SET during = int4range(lower(during) + 10, upper(during) + 10) WHERE id > 3;
SET CONSTRAINTS ALL IMMEDIATE;
COMMIT;
CREATE TABLE fixed (room int, during int4range, EXCLUDE USING xtree (room WITH =, during WITH &&));
INSERT INTO fixed SELECT 1, int4range(i * 10, i * 10 + 10) FROM generate_series(1, 100) i;
UPDATE fixed SET during = int4range(lower(during) + 10, upper(during) + 10);  -- checked row by row
SET CONSTRAINTS fixed_room_during_excl DEFERRED;
BEGIN;
UPDATE fixed SET room = 2 WHERE during = '[40,50)';
INSERT INTO fixed VALUES (1, '[40,45)');
UPDATE fixed SET room = 1, during = '[45,50)' WHERE room = 2;
COMMIT;
SELECT room, during FROM fixed WHERE during && '[40,50)' ORDER BY 2;
SELECT xtree_check(c::regclass, true) FROM unnest(ARRAY['swap_late', 'move_now', 'fixed_room_during_excl']) c;

-- Partitions have constraints of their own; the parent has none, and before PostgreSQL 17 can have none.
CREATE TABLE sites (site int, room int, during daterange) PARTITION BY LIST (site);
CREATE TABLE sites_1 PARTITION OF sites (EXCLUDE USING xtree (room WITH =, during WITH &&)) FOR VALUES IN (1);
CREATE TABLE sites_2 PARTITION OF sites (EXCLUDE USING xtree (room WITH =, during WITH &&)) FOR VALUES IN (2);
INSERT INTO sites VALUES (1, 1, '[2024-01-01,2024-01-05)'), (2, 1, '[2024-01-01,2024-01-05)'), (1, 2, '[2024-01-01,2024-01-05)');
INSERT INTO sites VALUES (2, 1, '[2024-01-04,2024-01-06)');
UPDATE sites SET site = 2 WHERE site = 1 AND room = 1;
UPDATE sites SET site = 2 WHERE site = 1 AND room = 2;
INSERT INTO sites VALUES (2, 2, '[2024-01-02,2024-01-03)') ON CONFLICT DO NOTHING;
SELECT tableoid::regclass, * FROM sites ORDER BY site, room;
SELECT xtree_check(c::regclass, true) FROM unnest(ARRAY['sites_1_room_during_excl', 'sites_2_room_during_excl']) c;

-- The constraint outlives what becomes of its index: REINDEX, TRUNCATE, VACUUM FULL, CLUSTER, another type of a column.
REINDEX INDEX booked;
INSERT INTO bookings (room, during) VALUES (2, '[2024-01-01 11:00,2024-01-01 11:30)');
DELETE FROM bookings WHERE room IS NULL OR during IS NULL;
VACUUM bookings;
INSERT INTO bookings (room, during) VALUES (2, '[2024-01-01 11:00,2024-01-01 11:30)');
VACUUM FULL bookings;
INSERT INTO bookings (room, during) VALUES (2, '[2024-01-01 11:00,2024-01-01 11:30)');
CLUSTER bookings USING booked;
ALTER TABLE bookings ALTER room TYPE bigint;
INSERT INTO bookings (room, during) VALUES (2, '[2024-01-01 11:00,2024-01-01 11:30)');
TRUNCATE bookings;
INSERT INTO bookings (room, during) VALUES (9007199254740993, '(,)'), (9007199254740992, '(,)');
INSERT INTO bookings (room, during) VALUES (9007199254740993, '[2024-01-01,2024-01-02]');
SELECT xtree_check('booked', true);

DROP TABLE bookings, named, nights, plan, cages, lamps, desks, tables, plots, numbers, visits, swaps, moves, fixed, sites;
DROP FUNCTION attempts, random_range;
