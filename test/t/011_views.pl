# Views and functions beside a running worker: loading and unloading as other sessions see them, callbacks, other databases, statistics,
# a thousand indexes, and what happens when the worker does not answer.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('views');
$node->init(allows_streaming => 1);
$node->append_conf('postgresql.conf', <<'CONF');
wal_keep_size = 4GB
shared_preload_libraries = xtree
autovacuum = off
fsync = off
xtree.naptime = 100ms
xtree.map_after = 0
xtree.idle_timeout = 0
CONF
$node->start;

sub sql { return $node->safe_psql('postgres', $_[0]); }

sub fails
{
	my ($sql, $expected, $name) = @_;
	my ($status, $out, $error) = $node->psql('postgres', $sql);
	isnt($status, 0, $name);
	like($error, $expected, "$name: the reason");
}

sql(q{CREATE EXTENSION xtree;
	CREATE TABLE points AS SELECT i AS id, point(i % 300, i / 300) AS p FROM generate_series(1, 90000) i;
	CREATE INDEX points_xtree ON points USING xtree (p);
	CREATE INDEX points_other ON points USING xtree (id);
	VACUUM ANALYZE points;});
my $query = q{SET enable_seqscan = off; SELECT count(*) FROM points WHERE p <@ box '(0,0),(100,100)';};
my $view = q{SELECT concat_ws('|', state, strategy, backends, loads, mapped_bytes = size, resident_bytes > 0, last_error IS NULL, load_time > 0)
	FROM pg_stat_xtree_indexes WHERE indexrelname = 'points_xtree'};

# Load, use, unload.
is(sql($view), 'registered|auto|0|0|f|f|t', 'before anybody has touched it');
my $session = $node->background_psql('postgres');
is($session->query_safe(q{SELECT xtree_load('points_xtree')}), 't', 'xtree_load says that the index is mapped');
like(sql($view), qr/^loaded\|resident\|1\|1\|t\|/, 'another session sees that it is loaded');
ok($node->poll_query_until('postgres', $view, 'loaded|resident|1|1|t|t|t|t'), 'it is measured');
is($session->query_safe(q{SELECT xtree_load('points_xtree')}), 't', 'once more makes no difference');
$session->query_safe('SET enable_seqscan = off; SET enable_indexonlyscan = off');
my $count = $session->query_safe(q{SELECT count(*) FROM points WHERE p <@ box '(0,0),(100,100)' AND id > 0});
is(sql(q{SELECT loads, scans, tuples >= } . $count . q{, mapped_reads > 0, mapped_share > 0, hit_rate BETWEEN 0.5 AND 1, first_access <= last_access
	FROM pg_stat_xtree_indexes WHERE indexrelname = 'points_xtree'}), '1|1|t|t|t|t|t', 'a scan is counted');
is(sql(q{SELECT scans, coalesce(hit_rate, -1) FROM pg_stat_xtree_indexes WHERE indexrelname = 'points_other'}), '0|-1', 'that of another index is not');
is(sql(q{SELECT loaded >= 1, registered >= 1, mapped_bytes > 0, private_bytes > 0 FROM pg_stat_xtree_memory}), 't|t|t|t', 'memory of the server');
is(sql(q{SELECT pid IS NOT NULL, state IS NOT NULL, cycles > 0, last_cycle > started, cycle_time >= 0 FROM pg_stat_xtree_worker}),
	't|t|t|t|t', 'the worker');

$session->query_safe(q{BEGIN; DECLARE c CURSOR FOR SELECT id FROM points WHERE p <@ box '(0,0),(300,300)'; FETCH 1 FROM c});
my ($status, $out, $error) = $node->psql('postgres', q{SELECT xtree_unload('points_xtree')});
is($out, 'f', 'xtree_unload does not disturb a running scan');
like($error, qr/NOTICE:  index "points_xtree" is still in use/, 'and says so');
is(sql(q{SELECT state, backends FROM pg_stat_xtree_indexes WHERE indexrelname = 'points_xtree'}), 'unloading|1', 'meanwhile it is unloading');
is($session->query_safe(q{MOVE FORWARD ALL FROM c; COMMIT; SELECT 'over'}), 'over', 'the scan ends');
ok($node->poll_query_until('postgres', q{SELECT (state, backends, mapped_bytes, unloads, evictions) = ('registered', 0, 0, 1, 0)
	FROM pg_stat_xtree_indexes WHERE indexrelname = 'points_xtree'}), 'then it is unloaded');
is($session->query_safe(q{SELECT xtree_load('points_xtree'), xtree_unload('points_xtree')}), 't|t', 'a session unloads what it has mapped itself');
is(sql(q{SELECT xtree_unload('points_xtree'), xtree_unload('points_other')}), 't|t', 'what is not loaded is unloaded');
$session->query_safe(q{SELECT xtree_load('points_xtree')});
is(sql(q{SELECT xtree_unload_idle('1 day')}), '0', 'nothing is idle for a day');
is(sql(q{SELECT xtree_unload_idle('0')}), '1', 'everything is idle for no time');
$session->query_safe(q{SELECT xtree_load('points_xtree')});
is(sql(q{SELECT xtree_unload_cold(1) > 0}), 't', 'xtree_unload_cold frees something');
is(sql(q{SELECT state FROM pg_stat_xtree_indexes WHERE indexrelname = 'points_xtree'}), 'registered', 'namely this');

# Events tell of it, with names in this database only.
is(sql(q{SELECT bool_and(number > 0 AND pid > 0 AND time <= now()), count(*) > 3 FROM pg_stat_xtree_events WHERE indexrelname = 'points_xtree'
	AND relname = 'points' AND schemaname = 'public' AND datname = 'postgres'}), 't|t', 'events');
$session->quit;
$node->safe_psql('template1', 'CREATE DATABASE elsewhere TEMPLATE postgres');  # indexes of the same OIDs
$session = $node->background_psql('postgres');
$session->query_safe('SET enable_seqscan = off; SET enable_indexonlyscan = off');
is($node->safe_psql('elsewhere', q{SELECT count(*) > 3, count(indexrelname), count(relname), count(schemaname), count(reason), count(DISTINCT datname)
	FROM pg_stat_xtree_events WHERE datname = 'postgres' AND indexrelid IS NOT NULL}), 't|0|0|0|0|1', 'events of another database have no names');
$session->query_safe(q{SELECT xtree_load('points_xtree')});
$session->query_safe(q{SELECT count(*) FROM generate_series(1, 300) i, LATERAL (SELECT id FROM points WHERE p <@ box(point(i, i), point(i, i))) q});
is(sql(q{SELECT count(*) > 0, bool_and(indexrelname IS NOT NULL AND accesses > 0 AND frequency > 0 AND hotness >= frequency AND block > 0
	AND level >= 0 AND first_access <= last_access) FROM pg_stat_xtree_pages WHERE relname = 'points'}), 't|t', 'hot pages');
is($node->safe_psql('elsewhere', q{SELECT count(*) > 0, count(indexrelname), count(relname) FROM pg_stat_xtree_pages WHERE datname = 'postgres'}),
	't|0|0', 'hot pages of another database have no names');
is($node->safe_psql('elsewhere', 'SELECT count(*), sum(scans) FROM pg_stat_xtree_indexes'), '2|0', 'each database has statistics of its own');

# Pins.
is($session->query_safe('SELECT xtree_pin_hot() > 0'), 't', 'xtree_pin_hot pins');
is(sql(q{SELECT pinned_bytes > 0 FROM pg_stat_xtree_indexes WHERE indexrelname = 'points_xtree'}), 't', 'the index has pinned pages');
is(sql(q{SELECT count(*) > 0 FROM pg_stat_xtree_pages WHERE pinned}), 't', 'pages are marked as pinned');
is(sql(q{SELECT xtree_unpin('points_xtree') > 0}), 't', 'xtree_unpin unpins');
is(sql(q{SELECT pinned_bytes FROM pg_stat_xtree_indexes WHERE indexrelname = 'points_xtree'}), '0', 'the index has none any more');

# Reset.
sql("SELECT xtree_load('points_other'); SET enable_seqscan = off; SET enable_indexonlyscan = off; SELECT count(p) FROM points WHERE id < 10");
sql(q{SELECT pg_stat_xtree_reset('points_xtree')});
is(sql(q{SELECT string_agg(concat_ws(' ', indexrelname, scans > 0, mapped_reads + buffer_reads > 0), ', ' ORDER BY indexrelname)
	FROM pg_stat_xtree_indexes WHERE relname = 'points'}),
	'points_other t t, points_xtree f f', 'reset of one index');
is(sql(q{SELECT count(*) FROM pg_stat_xtree_pages WHERE indexrelname = 'points_xtree'}), '0', 'and of its pages');
my $before = sql('SELECT stats_reset FROM pg_stat_xtree_memory');
sql('SELECT pg_stat_xtree_reset()');
is(sql(qq{SELECT stats_reset > '$before', (SELECT sum(scans) FROM pg_stat_xtree_indexes), (SELECT count(*) FROM pg_stat_xtree_events) < 3
	FROM pg_stat_xtree_memory}), 't|0|t', 'reset of everything');

# Callbacks of C code.
$session->quit;
$session = $node->background_psql('postgres', on_error_stop => 0);
$session->query_safe(q{CREATE FUNCTION count_callbacks(fail bool, OUT loads int, OUT unloads int, OUT last oid) AS 'xtree', 'xtree_count_callbacks' LANGUAGE C});
is($session->query_safe('SELECT loads, unloads FROM count_callbacks(false)'), '0|0', 'callbacks are registered');
$session->query_safe(q{SELECT xtree_load('points_xtree')});
is($session->query_safe('SELECT loads, unloads, last::regclass FROM count_callbacks(false)'), '1|0|points_xtree', 'a load callback');
sql(q{SELECT xtree_unload('points_xtree')});
is($session->query_safe('SELECT loads, unloads, last::regclass FROM count_callbacks(false)'), '1|1|points_xtree', 'an unload callback');
sql(q{SELECT xtree_load('points_xtree')});
is($session->query_safe('SELECT loads, unloads FROM count_callbacks(false)'), '1|1', 'other sessions have their own');
$session->query_safe('SELECT count_callbacks(true)');
my ($answer, $failed) = $session->query(q{SELECT xtree_load('points_xtree')});
is($failed, 1, 'an error in a load callback ends the statement');
$session->{stderr} = '';  # BackgroundPsql keeps it
is(sql(q{SELECT backends FROM pg_stat_xtree_indexes WHERE indexrelname = 'points_xtree'}), '1', 'the index stays loaded');
is($session->query_safe(q{SELECT xtree_load('points_xtree')}), 't', 'and of use');
is(sql(q{SELECT xtree_unload('points_xtree')}), 't', 'nothing holds it');
is($session->query_safe('SELECT loads, unloads FROM count_callbacks(false)'), '2|2', 'each load has its unload');
$session->query_safe('DROP FUNCTION count_callbacks');

# Owners.
sql(q{CREATE ROLE owner; CREATE TABLE owned AS SELECT p FROM points; CREATE INDEX owned_xtree ON owned USING xtree (p); ALTER TABLE owned OWNER TO owner});
is(sql(q{SET ROLE owner; SELECT xtree_load('owned_xtree'), xtree_unpin('owned_xtree') >= 0, xtree_unload('owned_xtree')}), 't|t|t',
	'an owner needs no other right');
fails(q{SET ROLE owner; SELECT xtree_unload('points_xtree')}, qr/must be owner of index points_xtree/, 'who does not own it has none');
sql('DROP TABLE owned');

# The view waits for no lock, and a thousand indexes do not keep it.
sql('CREATE TABLE many (a int, b int)');
sql(q{DO $$ BEGIN FOR i IN 1 .. 1000 LOOP EXECUTE format('CREATE INDEX many_%s ON many USING xtree (a, b)', i); END LOOP; END $$});
my $milliseconds = sql(q{CREATE TEMP TABLE times (t float8);
	DO $$ DECLARE began timestamptz; BEGIN
	  FOR i IN 1 .. 7 LOOP
	    began := clock_timestamp();
	    PERFORM * FROM pg_stat_xtree_indexes;
	    INSERT INTO times VALUES (1000 * extract(epoch FROM clock_timestamp() - began));
	  END LOOP;
	END $$;
	SELECT min(t) FROM times});
cmp_ok($milliseconds, '<', 100, 'milliseconds of the view over 1,000 indexes');
is(sql('SELECT count(*) FROM pg_stat_xtree_indexes WHERE relname = \'many\''), 1000, 'it lists them all');
$session->query_safe('BEGIN; LOCK TABLE many; REINDEX INDEX many_1');
is(sql(q{SET statement_timeout = '10s'; SELECT count(size) FROM pg_stat_xtree_indexes WHERE relname = 'many'}), 1000, 'it waits for no lock');
$session->query_safe('ROLLBACK');
sql('DROP TABLE many');

# A worker that does not answer.
my $worker = sql('SELECT pid FROM pg_stat_xtree_worker');
sql('CREATE INDEX points_new ON points USING xtree (p, id)');
kill 'STOP', $worker;
fails(q{SET statement_timeout = '300ms'; SELECT xtree_load('points_new')}, qr/canceling statement due to statement timeout/, 'xtree_load can be cancelled');
fails(q{SET statement_timeout = '300ms'; SELECT xtree_unload_cold(1000000)}, qr/canceling statement due to statement timeout/,
	'so can xtree_unload_cold');
kill 'CONT', $worker;
is(sql(q{SELECT xtree_load('points_new')}), 't', 'the worker goes on');

# None can be started.
$node->append_conf('postgresql.conf', 'max_worker_processes = 0');
$node->restart;
fails(q{SELECT xtree_load('points_xtree')}, qr/the xtree worker does not run/, 'without a worker xtree_load fails');
is(sql('SELECT count(*), count(pid) FROM pg_stat_xtree_worker'), '1|0', 'and the view says that there is none');
is(sql($query), $count, 'answers come all the same');
$node->append_conf('postgresql.conf', 'max_worker_processes = 8');
$node->restart;

# A standby reads through shared buffers.
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('views_standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
($status, $out, $error) = $standby->psql('postgres', q{SELECT xtree_load('points_xtree')});
is($out, 'f', 'on a standby nothing is loaded');
like($error, qr/the server is in recovery/, 'with the reason');
is($standby->safe_psql('postgres', $query), $count, 'the standby answers');
# Of two indexes over the column the planner may take either.
is($standby->safe_psql('postgres', q{SELECT string_agg(DISTINCT state, ' '), sum(scans) > 0 FROM pg_stat_xtree_indexes WHERE relname = 'points'}), 'registered|t',
	'and counts what it scans');
$standby->stop;

is(sql(q{SELECT count(xtree_check(indexrelid, true)) FROM pg_stat_xtree_indexes}), 3, 'the indexes pass xtree_check');
$node->stop;
done_testing();
