-- xtree_btree_gist 1.0: nearest-neighbour searches of xtree indexes on scalars, and xtree's operator classes under btree_gist's names.
--
-- The distances of scalars, int4 <-> int4 and others, are operators of btree_gist. Here they become members of xtree's operator
-- families, so that one operator serves indexes of both access methods. Nothing but the entries in the families and the names of classes
-- belongs to this extension.

-- complain if the script is run by hand
\echo Use "CREATE EXTENSION xtree_btree_gist" to load this file. \quit

DO $$
DECLARE
  distance record;
BEGIN
  FOR distance IN
    SELECT o.oid, n.nspname AS schema, o.oprleft::pg_catalog.regtype AS type, family.name AS family, sorting.name AS sorting
    FROM pg_catalog.pg_operator o
      JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
      JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_operator'::pg_catalog.regclass::pg_catalog.oid AND d.objid = o.oid AND d.deptype = 'e'
      JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid AND e.extname = 'btree_gist'
      CROSS JOIN LATERAL (
        SELECT pg_catalog.format('%I.%I', fn.nspname, f.opfname) AS name
        FROM pg_catalog.pg_opclass c JOIN pg_catalog.pg_am a ON a.oid = c.opcmethod JOIN pg_catalog.pg_opfamily f ON f.oid = c.opcfamily
          JOIN pg_catalog.pg_namespace fn ON fn.oid = f.opfnamespace
        WHERE a.amname = 'xtree' AND c.opcintype = o.oprleft AND c.opcdefault) family
      CROSS JOIN LATERAL (
        SELECT pg_catalog.format('%I.%I', fn.nspname, f.opfname) AS name
        FROM pg_catalog.pg_opclass c JOIN pg_catalog.pg_am a ON a.oid = c.opcmethod JOIN pg_catalog.pg_opfamily f ON f.oid = c.opcfamily
          JOIN pg_catalog.pg_namespace fn ON fn.oid = f.opfnamespace
        WHERE a.amname = 'btree' AND c.opcintype = o.oprresult AND c.opcdefault) sorting
    WHERE o.oprname = '<->' AND o.oprleft = o.oprright
  LOOP
    EXECUTE pg_catalog.format('ALTER OPERATOR FAMILY %s USING xtree ADD OPERATOR 15 %I.<-> (%s, %3$s) FOR ORDER BY %s',
                              distance.family, distance.schema, distance.type, distance.sorting);
    -- The entry goes when the extension goes, and not before.
    INSERT INTO pg_catalog.pg_depend (classid, objid, objsubid, refclassid, refobjid, refobjsubid, deptype)
    SELECT 'pg_catalog.pg_amop'::pg_catalog.regclass, m.oid, 0, 'pg_catalog.pg_extension'::pg_catalog.regclass, x.oid, 0, 'e'
    FROM pg_catalog.pg_amop m JOIN pg_catalog.pg_am a ON a.oid = m.amopmethod, pg_catalog.pg_extension x
    WHERE m.amopopr = distance.oid AND a.amname = 'xtree' AND x.extname = 'xtree_btree_gist';
  END LOOP;
END $$;

-- gist_int4_ops and the others, which tools and scripts of GiST's users write: xtree's default class of the same type, in its family. cidr has
-- that of inet.
DO $$
DECLARE
  class record;
BEGIN
  FOR class IN
    SELECT peer.opcname AS name, pg_catalog.format('%I.%I', tn.nspname, t.typname) AS type,
      pg_catalog.format('%I.%I', fn.nspname, f.opfname) AS family
    FROM pg_catalog.pg_opclass peer
      JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_opclass'::pg_catalog.regclass::pg_catalog.oid AND d.objid = peer.oid AND d.deptype = 'e'
      JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid AND e.extname = 'btree_gist'
      JOIN pg_catalog.pg_opclass c ON c.opcdefault AND c.opcintype = CASE peer.opcintype
        WHEN 'pg_catalog.cidr'::pg_catalog.regtype::pg_catalog.oid THEN 'pg_catalog.inet'::pg_catalog.regtype::pg_catalog.oid ELSE peer.opcintype END
      JOIN pg_catalog.pg_am a ON a.oid = c.opcmethod AND a.amname = 'xtree'
      JOIN pg_catalog.pg_opfamily f ON f.oid = c.opcfamily JOIN pg_catalog.pg_namespace fn ON fn.oid = f.opfnamespace
      JOIN pg_catalog.pg_type t ON t.oid = c.opcintype JOIN pg_catalog.pg_namespace tn ON tn.oid = t.typnamespace
  LOOP
    EXECUTE pg_catalog.format('CREATE OPERATOR CLASS %I FOR TYPE %s USING xtree FAMILY %s AS STORAGE %2$s', class.name, class.type, class.family);
  END LOOP;
END $$;
