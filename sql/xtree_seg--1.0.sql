/* xtree_seg 1.0: an operator class of xtree for contrib/seg, with the operators and strategy numbers of gist_seg_ops. */

\echo Use "CREATE EXTENSION xtree_seg" to load this file. \quit

CREATE FUNCTION xtree_seg_support(pg_catalog.internal) RETURNS pg_catalog.internal
  AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

-- Type and operators are those of seg, by its schema: others of the same name may stand before them in the search path.
DO $do$
DECLARE
  home pg_catalog.name;
BEGIN
  SELECT n.nspname INTO STRICT home FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
  WHERE e.extname = 'seg';
  EXECUTE pg_catalog.format($sql$
    CREATE OPERATOR CLASS seg_ops DEFAULT FOR TYPE %1$I.seg USING xtree AS
      OPERATOR 1 %1$I.<< (%1$I.seg, %1$I.seg),
      OPERATOR 2 %1$I.&< (%1$I.seg, %1$I.seg),
      OPERATOR 3 %1$I.&& (%1$I.seg, %1$I.seg),
      OPERATOR 4 %1$I.&> (%1$I.seg, %1$I.seg),
      OPERATOR 5 %1$I.>> (%1$I.seg, %1$I.seg),
      OPERATOR 6 %1$I.= (%1$I.seg, %1$I.seg),
      OPERATOR 7 %1$I.@> (%1$I.seg, %1$I.seg),
      OPERATOR 8 %1$I.<@ (%1$I.seg, %1$I.seg),
      FUNCTION 1 xtree_seg_support(pg_catalog.internal);
    -- The same class under its peer's name.
    CREATE OPERATOR CLASS gist_seg_ops FOR TYPE %1$I.seg USING xtree FAMILY seg_ops AS STORAGE %1$I.seg;
  $sql$, home);
END $do$;
