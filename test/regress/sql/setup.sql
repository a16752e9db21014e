-- The extension is there for all tests that follow, and every operator class passes the access method's validation.
CREATE EXTENSION xtree;
SELECT opcname, opcintype::regtype
FROM pg_opclass c JOIN pg_am a ON a.oid = c.opcmethod
WHERE amname = 'xtree' AND NOT amvalidate(c.oid);
