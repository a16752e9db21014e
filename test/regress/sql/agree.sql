-- What the tests of operator classes compare with.

-- Runs a query without index, through bitmap scans and through plain or index-only scans. Returns its number of rows, whether
-- all answers are the same (in the same order if the query says ORDER BY), and which nodes read the index.
CREATE FUNCTION agree(query text, OUT rows bigint, OUT same boolean, OUT nodes text) LANGUAGE plpgsql AS $$
DECLARE
  answer text := format('SELECT %s FROM (%s) q',
    CASE WHEN query ~ 'ORDER BY' THEN 'array_agg(q::text)' ELSE 'array_agg(q::text ORDER BY q::text)' END, query);
  truth text[];
  other text[];
  line text;
BEGIN
  PERFORM set_config('enable_' || scan, 'off', true) FROM unnest(ARRAY['bitmapscan', 'indexscan', 'indexonlyscan']) scan;
  PERFORM set_config('enable_seqscan', 'on', true), set_config('jit', 'off', true);  -- the costs of forbidden scans would switch it on
  EXECUTE answer INTO truth;
  rows := coalesce(cardinality(truth), 0);
  same := true;
  nodes := '';
  PERFORM set_config('enable_seqscan', 'off', true);
  FOR plain IN 0 .. 1 LOOP
    PERFORM set_config('enable_bitmapscan', CASE plain WHEN 0 THEN 'on' ELSE 'off' END, true),
      set_config('enable_indexscan', CASE plain WHEN 1 THEN 'on' ELSE 'off' END, true),
      set_config('enable_indexonlyscan', CASE plain WHEN 1 THEN 'on' ELSE 'off' END, true);
    EXECUTE answer INTO other;
    same := same AND other IS NOT DISTINCT FROM truth;
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
      nodes := nodes || coalesce(' ' || CASE substring(line FROM '(Bitmap Index|Index Only|Index) Scan')
        WHEN 'Bitmap Index' THEN 'bitmap' WHEN 'Index Only' THEN 'index-only' WHEN 'Index' THEN 'index' END, '');
    END LOOP;
  END LOOP;
  nodes := ltrim(nodes);
END $$;
