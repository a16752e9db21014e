# A session that touches many indexes and runs many scans, of every kind, does not grow: neither its memory contexts nor the process, once it
# has seen every index; nor does one that makes and drops indexes all the time. By default it takes seconds; by hand, with
# XTREE_MEMORY_INDEXES=5000 XTREE_MEMORY_SCANS=1000000, a minute or some.
# Seen to fail: with the memory of a scan kept in a context that outlives it.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $indexes = $ENV{XTREE_MEMORY_INDEXES} // 200;
my $scans = $ENV{XTREE_MEMORY_SCANS} // 20000;

my $node = PostgreSQL::Test::Cluster->new('growth');
$node->init;
$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'xtree'
xtree.map_after = 0
autovacuum = off
max_locks_per_transaction = 1000
fsync = off
log_statement = none
CONF
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION xtree');
# In transactions of 100 tables.
for (my $from = 1; $from <= $indexes; $from += 100)
{
	my $to = $from + 99 < $indexes ? $from + 99 : $indexes;
	$node->safe_psql('postgres', qq{DO \$\$ BEGIN FOR i IN $from .. $to LOOP
		EXECUTE format('CREATE TABLE t_%s (id int, p point)', i);
		EXECUTE format('INSERT INTO t_%s SELECT i, point(i %% 20, i / 20) FROM generate_series(0, 399) i', i);
		EXECUTE format('CREATE INDEX x_%s ON t_%s USING xtree (p) INCLUDE (id)', i, i);
		END LOOP; END \$\$});
}
$node->safe_psql('postgres', q{
	-- `number` scans of indexes from the `first` on, of four kinds in turn; commits now and then, as a client would.
	CREATE PROCEDURE scan(first int, number int, indexes int) LANGUAGE plpgsql AS $$
	DECLARE i int; found bigint;
	BEGIN
		SET enable_seqscan = off;
		FOR n IN 0 .. number - 1 LOOP
			i := (first + n / 4) % indexes + 1;
			CASE n % 4
			WHEN 0 THEN SET enable_bitmapscan = off; EXECUTE format('SELECT count(id) FROM t_%s WHERE p <@ box ''(3,3),(6,6)''', i) INTO found;
			WHEN 1 THEN SET enable_bitmapscan = on; SET enable_indexscan = off; EXECUTE format('SELECT count(*) FROM t_%s WHERE p <@ box ''(3,3),(6,6)'' AND id >= 0', i) INTO found;
			WHEN 2 THEN SET enable_indexscan = on; EXECUTE format('SELECT count(*) FROM (SELECT 1 FROM t_%s ORDER BY p <-> point ''(5,5)'' LIMIT 16) s', i) INTO found;
			ELSE SET enable_indexonlyscan = off; EXECUTE format('SELECT count(*) FROM t_%s WHERE p <@ box ''(3,3),(6,6)''', i) INTO found; RESET enable_indexonlyscan;
			END CASE;
			IF found <> 16 THEN RAISE EXCEPTION 'table % has % rows there', i, found; END IF;
			IF n % 1000 = 999 THEN COMMIT; END IF;
		END LOOP;
	END $$;
	CREATE PROCEDURE make_and_drop(number int) LANGUAGE plpgsql AS $$
	BEGIN
		FOR n IN 1 .. number LOOP
			CREATE INDEX dropped ON t_1 USING xtree (p, id);
			PERFORM count(*) FROM t_1 WHERE p <@ box '(3,3),(6,6)' AND id > 0;
			DROP INDEX dropped;
			COMMIT;
		END LOOP;
	END $$;
	CREATE FUNCTION kept(OUT contexts bigint, OUT anonymous bigint) LANGUAGE plpgsql AS $$
	BEGIN
		SELECT sum(total_bytes) / 1024 INTO contexts FROM pg_backend_memory_contexts;
		SELECT substring(pg_read_file(format('/proc/%s/smaps_rollup', pg_backend_pid()), 0, 100000, false) FROM 'Anonymous: *([0-9]+) kB') INTO anonymous;
	END $$});

my $measure = 'SELECT contexts, anonymous FROM kept();';
my $first = 4 * $indexes;
my $result = $node->safe_psql('postgres', "$measure CALL scan(0, $first, $indexes); CALL scan(0, $first, $indexes); $measure CALL scan(0, $scans, $indexes); $measure
	CALL make_and_drop(100); $measure CALL make_and_drop(200); $measure");
my ($fresh, $before, $after, $dropped, $later) = map { [ split /\|/ ] } split /\n/, $result;
note("session: $fresh->[0] kB in contexts, $fresh->[1] kB in all; after a first look at $indexes indexes $before->[0] and $before->[1]; after $scans scans $after->[0] and $after->[1]");
cmp_ok($after->[0] - $before->[0], '<=', 256, "contexts have grown by " . ($after->[0] - $before->[0]) . " kB in $scans scans");
cmp_ok($after->[1] - $before->[1], '<=', 2048, "the process has grown by " . ($after->[1] - $before->[1]) . " kB in $scans scans");
cmp_ok($later->[0] - $dropped->[0], '<=', 1024, 'contexts have grown by ' . ($later->[0] - $dropped->[0]) . ' kB while 200 indexes came and went');
is($node->safe_psql('postgres', q{SELECT xtree_check('x_1', true)}), '', 'an index is valid');
$node->stop;
done_testing();
