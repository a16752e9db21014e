-- Cut-offs by the distances of btree_gist, whose results are of many types: the limit is compared as the result's type compares.
-- Seen to fail: with limits of integers and intervals taken as plain numbers (rows removed), with a month of 29 days.
SET xtree.estimate_rows = off;  -- small tables: which plan is taken is not the point here
SET datestyle = 'ISO';
SET timezone = 'UTC';
SET intervalstyle = 'postgres';
SET lc_monetary = 'C';
SET client_min_messages = warning;
CREATE EXTENSION xtree_btree_gist CASCADE;
RESET client_min_messages;

CREATE TABLE measured (i2 int2, i4 int4, i8 int8, f4 float4, f8 float8, m money, o oid, d date, t time, ts timestamp, tz timestamptz, iv interval);
INSERT INTO measured
SELECT g % 300 - 100, (g * 7919) % 1000 - 500, 9007199254740992 + g * 31 % 500, (g % 70) / 7.0, (g % 110) / 11.0, (g * 104729 % 2000)::money / 7,
  g * 7919 % 1000, date '2023-01-01' + g % 400, time '00:00' + g % 96 * interval '15 min',
  timestamp '2023-10-28 00:00' + g % 100 * interval '30 min', timestamptz '2023-10-28 00:00+00' + g % 100 * interval '1 us',
  make_interval(months => g % 5, days => g % 61 - 30, secs => g % 7)
FROM generate_series(1, 2000) g;
INSERT INTO measured (i8) VALUES (9223372036854775807), (9223372036854775806), (0), (1), (4611686018427387904), (4611686018427387903);
INSERT INTO measured (f4) VALUES ('NaN'), ('Infinity'), ('-Infinity'), ('-0'), ('1e-45'), ('3.4028235e38'), ('16777216'), ('16777218');
INSERT INTO measured (f8) VALUES ('NaN'), ('Infinity'), ('-Infinity'), ('-0'), ('5e-324'), ('1.7976931348623157e308'), (0.1), (0.1::float4);
INSERT INTO measured (m) VALUES ('92233720368547758.07'), ('92233720368547758.06'), ('90071992547409.93');
INSERT INTO measured (o) VALUES (0), (1), (2147483647), (2147483648), (4294967295);
INSERT INTO measured (d) VALUES ('4713-01-01 BC'), ('5874897-12-31');
INSERT INTO measured (t) VALUES ('24:00'), ('23:59:59.999999'), ('00:00:00.000001');
INSERT INTO measured (ts, tz) SELECT x, x FROM unnest('{infinity, -infinity, 4713-11-24 00:00 BC, 2000-01-01, 294276-12-31 23:59:59.999999}'::timestamp[]) x;
INSERT INTO measured (iv) VALUES ('1 month'), ('30 days'), ('720 hours'), ('0'), ('-1 month'), ('178000000 years'), ('-178000000 years'), ('292272 years');
DO $$
DECLARE
  col name;
BEGIN
  FOR col IN SELECT attname FROM pg_attribute WHERE attrelid = 'measured'::regclass AND attnum > 0 LOOP
    EXECUTE format('CREATE INDEX ON measured USING xtree (%I)', col);
  END LOOP;
END $$;
VACUUM ANALYZE measured;

EXPLAIN (COSTS OFF) SELECT d FROM measured WHERE d <-> '2023-07-01' < 30 ORDER BY d <-> '2023-07-01' LIMIT 3;
EXPLAIN (COSTS OFF) SELECT count(*) FROM measured WHERE ts <-> '2023-10-28 10:00' <= '1 hour';
EXPLAIN (COSTS OFF) SELECT count(*) FROM measured WHERE i4 <-> 7 < 5::int8;
-- Not: a limit of another kind, for which the distance is converted.
EXPLAIN (COSTS OFF) SELECT count(*) FROM measured WHERE i4 <-> 7 < 5.5;

SELECT (edges('measured', 'i2 <-> 7::int2', 'int8', '{NULL,-1,0,1,300,9223372036854775807,-9223372036854775808}')).*;
SELECT (edges('measured', 'i4 <-> 7', 'int2', '{NULL,-1,0,1,300}')).*;
SELECT (edges('measured', 'i8 <-> 9007199254741000', 'int8', '{NULL,-1,0,1,9007199254740993,9223372036854775807,-9223372036854775808}')).*;
SELECT (edges('measured', '9223372036854775807 <-> i8', 'int8', '{NULL,0,1,2,9223372036854775806,9223372036854775807}')).*;
-- (The distance of NaN and of infinity from itself depends on the minor version.)
SELECT limits, same, conditions FROM edges('measured', 'f4 <-> 0.1', 'float8', '{NULL,NaN,Infinity,-Infinity,-1,0,0.1,3.4028235e38,1e300}');
SELECT limits, same, conditions FROM edges('measured', $$f4 <-> 'NaN'$$, 'float4', '{NULL,NaN,Infinity,-Infinity,-1,0,1e30}');
SELECT limits, same, conditions FROM edges('measured', 'f8 <-> 0.1');
SELECT limits, same, conditions FROM edges('measured', $$f8 <-> 'Infinity'$$);
SELECT (edges('measured', $$m <-> '1000'::money$$, 'money', '{NULL,-1,0,0.01,1,92233720368547758.07}')).*;
SELECT (edges('measured', 'o <-> 500', 'oid', '{NULL,0,1,2147483648,4294967295}')).*;
SELECT (edges('measured', $$d <-> '2023-07-01'$$, 'int4', '{NULL,-1,0,30,2147483647}')).*;
SELECT (edges('measured', $$t <-> '12:00'$$, 'interval', '{NULL,-1 s,0,15 min,1 month,178000000 years,-178000000 years}')).*;
SELECT (edges('measured', $$ts <-> '2023-10-28 10:00'$$, 'interval', '{NULL,-1 s,0,30 min,1 day,24:00,1 month,30 days,178000000 years,-178000000 years}')).*;
SELECT (edges('measured', $$tz <-> '2023-10-28 00:00:00.00005+00'$$, 'interval', '{NULL,-1 us,0,1 us,49 us,50 us,1 month,178000000 years}')).*;
SELECT (edges('measured', $$ts <-> 'infinity'$$, 'interval', '{NULL,0,30 min,178000000 years}')).*;
SELECT (edges('measured', $$iv <-> '5 days'$$, 'interval', '{NULL,-1 s,0,1 month,30 days,30 days 00:00:01,178000000 years}')).*;

-- Few rows beside those that are returned.
SELECT explain_analyze($$SELECT i8 FROM measured WHERE i8 <-> 9007199254741000 < 3$$);
SELECT explain_analyze($$SELECT iv FROM measured WHERE iv <-> '5 days' < '1 hour' ORDER BY iv <-> '5 days'$$);

-- A distance that is an error of the operator, of a row that the limit leaves out.
SELECT count(*) FROM measured WHERE i4 <-> 2147483647 < 5;
INSERT INTO measured (d) VALUES ('infinity');
SET enable_seqscan = off;
SELECT count(*) FROM measured WHERE d <-> '2023-07-01' < 5;
RESET enable_seqscan;

SELECT count(xtree_check(indexrelid, true)) FROM pg_index WHERE indrelid = 'measured'::regclass;
-- Without the extension the operators are not members, and the comparison is a filter.
DROP EXTENSION xtree_btree_gist;
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT count(*) FROM measured WHERE i4 <-> 7 < 5;
RESET enable_seqscan;
DROP TABLE measured;
DROP EXTENSION btree_gist;
