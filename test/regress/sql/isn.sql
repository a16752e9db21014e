-- contrib/isn: every operator of its B-tree family is in xtree_isn's, across types too, and answers as a sequential scan does; keys are returned
-- without the row.
-- Seen to catch: a class without the operators across types (the plan is a sequential scan, which stops the test's agree()).
SET client_min_messages = warning;
CREATE EXTENSION isn;
CREATE EXTENSION xtree_isn;
RESET client_min_messages;
SELECT (SELECT count(*) FROM pg_amop WHERE amopfamily = (SELECT oid FROM pg_opfamily WHERE opfname = 'isn_ops' AND opfmethod = (SELECT oid FROM pg_am WHERE amname = 'btree')))
     + (SELECT count(*) FROM pg_amop WHERE amopstrategy = 3 AND amopfamily = (SELECT oid FROM pg_opfamily WHERE opfname = 'isn_ops' AND opfmethod = (SELECT oid FROM pg_am WHERE amname = 'btree')))
     - (SELECT count(*) FROM pg_amop WHERE amopfamily = (SELECT oid FROM pg_opfamily WHERE opfname = 'isn_ops' AND opfmethod = (SELECT oid FROM pg_am WHERE amname = 'xtree'))) AS missing;
CREATE TABLE books (id int, number isbn13, shelf int);
SELECT isn_weak(true);
INSERT INTO books SELECT i, ean13_in(('978' || lpad((i * 7919 % 1000000)::text, 9, '0') || '0')::cstring)::isbn13, i % 7 FROM generate_series(1, 3000) i;
SELECT isn_weak(false);
INSERT INTO books VALUES (9001, NULL, 1);
CREATE INDEX books_number ON books USING xtree (number, shelf);
VACUUM ANALYZE books;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT number FROM books WHERE number < '978-0-00-100009-0!'::isbn13 AND shelf = 2;
SELECT type, op, count(*) AS queries, bool_and(same) AS same
FROM unnest('{<,<=,=,>=,>,<>}'::text[]) op, unnest('{isbn13,ean13,isbn}'::text[]) type,
  (SELECT number::text AS value FROM books WHERE id % 500 = 1 AND number IS NOT NULL) q,
  agree(format('SELECT number FROM books WHERE number %s %L::isbn13::%s', op, value, type))
GROUP BY type, op ORDER BY type, op;
RESET enable_seqscan;
RESET enable_bitmapscan;
SELECT xtree_check('books_number', true);
DROP TABLE books;
DROP EXTENSION isn CASCADE;
