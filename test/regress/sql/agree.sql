-- What the tests of operator classes compare with.

-- Runs a query without index, through bitmap scans, through plain or index-only scans, and through plain ones where nothing but index-only ones served
-- it. Returns its number of rows, whether all answers are the same (in the same order if the query says ORDER BY), and which nodes read the index.
-- (Where bitmaps alone are allowed and cannot be, it depends on the version whether a plain scan is taken all the same.)
CREATE FUNCTION agree(query text, OUT rows bigint, OUT same boolean, OUT nodes text) LANGUAGE plpgsql AS $$
DECLARE
  answer text := format('SELECT %s FROM (%s) q',
    CASE WHEN query ~ 'ORDER BY' THEN 'array_agg(q::text)' ELSE 'array_agg(q::text ORDER BY q::text)' END, query);
  truth text[];
  other text[];
  kind text;
  line text;
  node text;
BEGIN
  PERFORM set_config('enable_' || scan, 'off', true) FROM unnest(ARRAY['bitmapscan', 'indexscan', 'indexonlyscan']) scan;
  PERFORM set_config('enable_seqscan', 'on', true), set_config('xtree.enable_lookup_join', 'off', true), set_config('jit', 'off', true);  -- the costs of forbidden scans would switch it on
  EXECUTE answer INTO truth;
  rows := coalesce(cardinality(truth), 0);
  same := true;
  nodes := '';
  PERFORM set_config('enable_seqscan', 'off', true);
  FOREACH kind IN ARRAY ARRAY['bitmap', 'index-only', 'index'] LOOP
    CONTINUE WHEN kind = 'index' AND nodes <> 'index-only';
    PERFORM set_config('enable_bitmapscan', (kind = 'bitmap')::text, true),
      set_config('enable_indexscan', (kind <> 'bitmap')::text, true),
      set_config('enable_indexonlyscan', (kind = 'index-only')::text, true);
    EXECUTE answer INTO other;
    same := same AND other IS NOT DISTINCT FROM truth;
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
      node := CASE substring(line FROM '(Bitmap Index|Index Only|Index) Scan')
        WHEN 'Bitmap Index' THEN 'bitmap' WHEN 'Index Only' THEN 'index-only' WHEN 'Index' THEN 'index' END;
      CONTINUE WHEN node IS NULL OR kind = 'index' OR (kind = 'bitmap') <> (node = 'bitmap');
      nodes := ltrim(nodes || ' ' || node);
    END LOOP;
  END LOOP;
  PERFORM set_config('xtree.enable_lookup_join', 'on', true);
END $$;

-- What EXPLAIN says of a query, without what not every version says; and of one that it runs.
CREATE FUNCTION explain_plan(query text, options text DEFAULT '') RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  line text;
BEGIN
  FOR line IN EXECUTE format('EXPLAIN (COSTS OFF%s) %s', options, query) LOOP
    IF line !~ '^ *(Index Searches|Disabled):' THEN RETURN NEXT regexp_replace(line, 'rows=(\d+)\.\d+', 'rows=\1'); END IF;
  END LOOP;
END $$;
CREATE FUNCTION explain_analyze(query text) RETURNS SETOF text LANGUAGE sql AS $$
  SELECT explain_plan(query, ', ANALYZE, TIMING OFF, SUMMARY OFF, BUFFERS OFF')
$$;

-- Runs a join without and with the trees, two of them or lookups in one. Returns its number of rows, whether both are the same, and which node joined.
CREATE FUNCTION joined(query text, lookups boolean DEFAULT false, OUT rows bigint, OUT same boolean, OUT node text) LANGUAGE plpgsql AS $$
DECLARE
  answer text := format('SELECT count(*), sum(hashtextextended(q::text, 0)::numeric) FROM (%s) q', query);
  truth record;
  other record;
  line text;
BEGIN
  PERFORM set_config('jit', 'off', true), set_config('xtree.enable_tree_join', 'off', true), set_config('xtree.enable_lookup_join', 'off', true),
    set_config('enable_indexscan', 'off', true), set_config('enable_indexonlyscan', 'off', true), set_config('enable_bitmapscan', 'off', true);
  EXECUTE answer INTO truth;
  rows := truth.count;
  PERFORM set_config('xtree.enable_' || CASE WHEN lookups THEN 'lookup' ELSE 'tree' END || '_join', 'on', true),
    set_config('enable_indexscan', 'on', true), set_config('enable_indexonlyscan', 'on', true);
  PERFORM set_config('enable_' || join_kind, 'off', true) FROM unnest(ARRAY['nestloop', 'hashjoin', 'mergejoin']) join_kind;
  EXECUTE answer INTO other;
  same := other::text = truth::text;
  FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
    node := coalesce(node, substring(line FROM '(Custom Scan \(Xtree(Lookup|Nearest)?Join\)|Nested Loop|Hash Join|Merge Join)'));
  END LOOP;
  PERFORM set_config('enable_' || kind, 'on', true) FROM unnest(ARRAY['nestloop', 'hashjoin', 'mergejoin', 'bitmapscan']) kind;
  PERFORM set_config('xtree.enable_tree_join', 'on', true), set_config('xtree.enable_lookup_join', 'on', true);
END $$;
