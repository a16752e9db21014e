/* xtree_isn 1.0: operator classes of xtree for the types of contrib/isn, all in one family, with the operators of its B-tree family. */

\echo Use "CREATE EXTENSION xtree_isn" to load this file. \quit

-- ean13, isbn, ismn and the others are 8-byte integers, which isn's operators compare as such, across its types too.
CREATE FUNCTION xtree_isn_support(pg_catalog.internal) RETURNS pg_catalog.internal
  AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE OPERATOR FAMILY isn_ops USING xtree;

-- One class a type with a B-tree class of isn's, and every operator of those classes' family, with `<>` as number 6.
DO $do$
DECLARE
  home pg_catalog.name;
  family pg_catalog.oid;
  class record;
  member record;
BEGIN
  SELECT n.nspname INTO STRICT home FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
  WHERE e.extname = 'isn';
  SELECT f.oid INTO STRICT family FROM pg_catalog.pg_opfamily f JOIN pg_catalog.pg_am a ON a.oid = f.opfmethod
    JOIN pg_catalog.pg_namespace n ON n.oid = f.opfnamespace
  WHERE a.amname = 'btree' AND f.opfname = 'isn_ops' AND n.nspname = home;
  FOR class IN SELECT c.opcname AS name, t.typname AS type FROM pg_catalog.pg_opclass c
      JOIN pg_catalog.pg_type t ON t.oid = c.opcintype WHERE c.opcfamily = family ORDER BY t.typname
  LOOP
    EXECUTE pg_catalog.format('CREATE OPERATOR CLASS %I DEFAULT FOR TYPE %I.%I USING xtree FAMILY isn_ops AS
      FUNCTION 1 xtree_isn_support(pg_catalog.internal)', class.name, home, class.type);
  END LOOP;
  FOR member IN
    SELECT m.strategy, o.oprname AS name, l.typname AS left_type, r.typname AS right_type FROM
      (SELECT amopopr AS operator, amopstrategy AS strategy FROM pg_catalog.pg_amop WHERE amopfamily = family
       UNION ALL SELECT o.oprnegate, 6 FROM pg_catalog.pg_amop a JOIN pg_catalog.pg_operator o ON o.oid = a.amopopr
       WHERE a.amopfamily = family AND a.amopstrategy = 3 AND o.oprnegate <> '0') m
      JOIN pg_catalog.pg_operator o ON o.oid = m.operator
      JOIN pg_catalog.pg_type l ON l.oid = o.oprleft JOIN pg_catalog.pg_type r ON r.oid = o.oprright
  LOOP
    EXECUTE pg_catalog.format('ALTER OPERATOR FAMILY isn_ops USING xtree ADD OPERATOR %s %I.%s (%2$I.%4$I, %2$I.%5$I)',
                              member.strategy, home, member.name, member.left_type, member.right_type);
  END LOOP;
END $do$;
