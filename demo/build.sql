-- Builds each index with both access methods, prints time and size, and keeps those of xtree.
CREATE TEMP TABLE build (index_on text, method text, ms numeric, bytes bigint);

CREATE PROCEDURE build_index(method text, columns text) LANGUAGE plpgsql AS $$
DECLARE
    name text := 'cities_' || regexp_replace(columns, '\W+', '_', 'g') || '_' || method;
    begun timestamptz := clock_timestamp();
BEGIN
    EXECUTE format('CREATE INDEX %I ON cities USING %I (%s)', name, method, columns);
    INSERT INTO build
    VALUES (columns, method, extract(epoch FROM clock_timestamp() - begun) * 1000, pg_relation_size(name));
    IF method <> 'xtree' THEN
        EXECUTE format('DROP INDEX %I', name);
    END IF;
END $$;

CALL build_index('gist', 'location');
CALL build_index('xtree', 'location');
CALL build_index('gist', 'location, population');
CALL build_index('xtree', 'location, population');
CALL build_index('gist', 'lon, lat, population');
CALL build_index('xtree', 'lon, lat, population');
VACUUM ANALYZE cities;

SELECT x.index_on AS "index on",
       round(g.ms) || ' ms' AS "gist build",
       round(x.ms) || ' ms' AS "xtree build",
       round(x.ms / g.ms, 2) AS "ratio ",
       pg_size_pretty(g.bytes) AS "gist size",
       pg_size_pretty(x.bytes) AS "xtree size",
       round(x.bytes::numeric / g.bytes, 2) AS "ratio"
FROM build x JOIN build g USING (index_on)
WHERE x.method = 'xtree' AND g.method = 'gist'
ORDER BY length(x.index_on);
