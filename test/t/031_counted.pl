# Statistics of a server that did not preload the library: counted from PostgreSQL 17 on, in a segment of shared memory that the first session that needs it
# makes. Who makes it and who does not, several sessions at once, parallel workers, a standby, a crash, dropped indexes and databases, and no
# memory for it.
# Seen to fail: with the segment made by planning; with indexes that may be mapped without preload; with entries of dropped indexes kept, or those of
# sessions that hold them taken away; with an ERROR for want of memory that ends the query.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('counted');
$node->init(allows_streaming => 1);
# Segments are files of the data directory, which can be counted.
$node->append_conf('postgresql.conf', <<'CONF');
dynamic_shared_memory_type = mmap
min_dynamic_shared_memory = 0
max_parallel_workers_per_gather = 0
restart_after_crash = on
autovacuum = off
wal_keep_size = 1GB
CONF
$node->start;

sub sql { return $node->safe_psql($_[1] // 'postgres', $_[0]); }

sub segments { return scalar(my @files = glob($node->data_dir . '/pg_dynshmem/*')); }

my $scan = q{SET enable_seqscan = off; SET enable_indexonlyscan = off; SET enable_indexscan = off};
my $query = q{SELECT count(*) FROM points WHERE p <@ box '(0,0),(100,100)' AND id > 0};

sub of { my ($column, $index) = @_; return sql("SELECT $column FROM pg_stat_xtree_indexes WHERE indexrelname = '" . ($index // 'points_xtree') . q{'}); }

sub make_points
{
	sql(q{CREATE TABLE points AS SELECT i AS id, point(i % 300, i / 300) AS p FROM generate_series(1, 90000) i;
		CREATE INDEX points_xtree ON points USING xtree (p); VACUUM ANALYZE points}, $_[0]);
}

sql('CREATE EXTENSION xtree');
make_points();

if ($node->pg_version < 17)
{
	is(sql('SELECT xtree_counted(), xtree_preloaded()'), 'f|f', 'before PostgreSQL 17 nothing is counted without preload');
	sql("$scan; $query");
	is(of('scans IS NULL AND last_access IS NULL'), 't', 'so counters are NULL');
	my ($status, $out, $error) = $node->psql('postgres', 'SELECT pg_stat_xtree_reset()');
	like($error, qr/xtree must be loaded via shared_preload_libraries/, 'and cannot be reset');
	$node->stop;
	done_testing();
	exit;
}

# Who makes the segment.
my $before = segments();
sql(q{LOAD 'xtree'; INSERT INTO points VALUES (0, '(-1,-1)'); DELETE FROM points WHERE id = 0; VACUUM points; REINDEX TABLE points});
like(sql("$scan; EXPLAIN $query"), qr/points_xtree/, 'a plan with the index');
sql('SELECT count(*) FROM points; DROP TABLE IF EXISTS no_such_table');
is(segments(), $before, 'what neither scans an index nor reads a view makes no segment');
my $session = $node->background_psql('postgres');
$session->query_safe($scan);
my $rows = $session->query_safe($query);
my $after = segments();
cmp_ok($after, '>', $before, 'a scan makes one, and the server one or two to find it by its name');
is(of('scans'), 1, 'and is counted');
is(segments(), $after, 'nobody makes a second one');
is(sql('SELECT xtree_counted(), xtree_preloaded()'), 't|f', 'uses are counted though the library was not preloaded');

# What is counted, and what is not known.
is(of(qq{concat_ws('|', scans, tuples = $rows, buffer_reads > 10, hit_rate BETWEEN 0 AND 1, first_access <= last_access, demand, state)}), '1|t|t|t|t|0|registered', 'counters');
is(of('num_nonnulls(mapped_bytes, resident_bytes, pinned_bytes, backends, loads, unloads, evictions, mapped_reads, mapped_share, retries, faults, load_time)'), 0,
	'what only mappings and the worker have is not known');
is(sql('SELECT preloaded, registered, private_bytes > 0, stats_reset <= now(), num_nonnulls(loaded, mapped_bytes, resident_bytes, pinned_bytes, memory_budget, pin_failures,
	evicted_bytes, admissions) FROM pg_stat_xtree_memory'), 'f|1|t|t|0', 'likewise of the server');
is(sql('SELECT count(*) FROM pg_stat_xtree_worker'), 0, 'there is no worker');
my $maps = slurp_file('/proc/' . $session->query_safe('SELECT pg_backend_pid()') . '/maps');
my $file = sql(q{SELECT pg_relation_filepath('points_xtree')});
$session->query_safe('SET xtree.map_after = 0');
is($session->query_safe($query), $rows, 'xtree.map_after = 0 makes no difference');
unlike($maps . slurp_file('/proc/' . $session->query_safe('SELECT pg_backend_pid()') . '/maps'), qr{\Q$file\E}, 'nothing is mapped');

# Sessions at once, the first of which makes the segment: after a restart there is none.
$session->quit;
$node->restart;
my @ends = map { { out => '', error => '' } } 1 .. 8;
$_->{run} = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-c', $scan, ('-c', $query) x 20 ], '<', \undef, '>', \$_->{out}, '2>', \$_->{error}) foreach @ends;
$_->{run}->finish foreach @ends;
is(join('', map { $_->{error} } @ends), '', 'eight sessions at once');
is(of(qq{concat_ws('|', scans, tuples)}), '160|' . 160 * $rows, 'all that they do is counted');
is(sql(q{SELECT count(*) > 0, bool_and(accesses > 0 AND NOT pinned AND suggestion IS NULL) FROM pg_stat_xtree_pages WHERE relname = 'points'}), 't|t', 'so are visits of pages');
sql(q{SELECT pg_stat_xtree_reset('points_xtree')});
is(of('scans + tuples + buffer_reads') . sql('SELECT count(*) FROM pg_stat_xtree_pages'), '00', 'reset');

# Parallel workers count; attaching in them begins a subtransaction within a parallel operation.
sql(qq{CREATE TABLE keys AS SELECT i FROM generate_series(0, 99) i; ALTER TABLE keys SET (parallel_workers = 2); ANALYZE keys});
my $parallel = q{SET max_parallel_workers_per_gather = 2; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
	SET parallel_leader_participation = off; SET enable_seqscan = on; SET enable_hashjoin = off; SET enable_mergejoin = off};
my $join = 'SELECT count(points.id) FROM keys JOIN points ON points.p <@ box(point(i, i), point(i, i))';
like(sql("$scan; $parallel; EXPLAIN $join"), qr/Parallel Seq Scan on keys/, 'a parallel plan');
is(sql("$scan; $parallel; $join"), 99, 'it answers');
is(of('scans'), 100, 'its workers count');
sql('DROP TABLE keys; SELECT pg_stat_xtree_reset()');

# Demand for a deferred index is counted; nothing waits for a worker that is not there.
sql(q{CREATE INDEX points_deferred ON points USING xtree (id) WITH (build = deferred)});
sql("$scan; SELECT count(*) FROM points WHERE id = 5") for 1 .. 3;
is(of(q{concat_ws('|', state, demand)}, 'points_deferred'), 'unbuilt|3', 'demand');
sql(q{CALL xtree_build('points_deferred')});
is(of(q{concat_ws('|', state, demand)}, 'points_deferred'), 'registered|0', 'an index that was built');
is(sql(q{SELECT string_agg(reason, ' ' ORDER BY number) FROM pg_stat_xtree_events WHERE indexrelname = 'points_deferred'}), 'begun built', 'events tell of it');
my ($status, $out, $error) = $node->psql('postgres', q{SELECT xtree_load('points_xtree')});
like($error, qr/xtree must be loaded via shared_preload_libraries/, 'nothing can be loaded');

# Drops, by sessions that have used the index and by others; rolled back; a database. What sessions hold stays.
$session = $node->background_psql('postgres');
$session->query_safe($scan);
sub listed { return sql(q{SELECT count(*) FROM pg_stat_xtree_memory, xtree_stat_indexes() WHERE registered >= 0}); }
$session->query_safe($query);
sql('DROP INDEX points_deferred');
is(listed(), 1, 'what was dropped is swept where the number of indexes is read');
$session->query_safe(q{BEGIN; DROP INDEX points_xtree; ROLLBACK});
$session->query_safe(q{BEGIN; CREATE TABLE mine AS SELECT p FROM points LIMIT 500; CREATE INDEX mine_xtree ON mine USING xtree (p)});
$session->query_safe(q{SELECT count(*) FROM mine WHERE p <@ box '(0,0),(100,100)'});
is(listed(), 2, 'an index that is not committed keeps its statistics');
$session->query_safe('COMMIT');
is(of('scans', 'mine_xtree'), 1, 'and has them afterwards');
sql('DROP TABLE mine');
$session->query_safe($query);
is(listed(), 2, 'the session that has used it holds it');
$session->quit;
is(listed(), 1, 'until it ends');
$session = $node->background_psql('postgres');
$session->query_safe(qq{$scan; DO \$\$ DECLARE n int; BEGIN
	FOR i IN 1 .. 400 LOOP
		EXECUTE 'CREATE TABLE brief (p point); INSERT INTO brief VALUES (point(1, 1)); CREATE INDEX brief_x ON brief USING xtree (p)';
		EXECUTE \$q\$SELECT count(*) FROM brief WHERE p <@ box '(0,0),(2,2)'\$q\$ INTO n;
		EXECUTE 'DROP TABLE brief';
		COMMIT;
	END LOOP;
END \$\$});
cmp_ok(sql('SELECT count(*) FROM xtree_stat_indexes()'), '<', 150, 'a session that makes and drops indexes does not fill the table');
$session->quit;
sql(q{CREATE DATABASE elsewhere TEMPLATE template0});
sql('CREATE EXTENSION xtree', 'elsewhere');
make_points('elsewhere');
sql("$scan; $query", 'elsewhere');
is(sql(q{SELECT scans FROM pg_stat_xtree_indexes}, 'elsewhere'), 1, 'another database');
is(sql(q{SELECT registered FROM pg_stat_xtree_memory}), 2, 'counts as well');
sql('DROP DATABASE elsewhere');
is(sql(q{SELECT registered FROM pg_stat_xtree_memory}), 1, 'until it is dropped');

# A standby counts for itself.
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('counted_standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
$standby->safe_psql('postgres', "$scan; $query") for 1 .. 2;
is($standby->safe_psql('postgres', q{SELECT scans, first_access <= last_access FROM pg_stat_xtree_indexes WHERE indexrelname = 'points_xtree'}), '2|t', 'a standby counts');
$standby->stop;

# After a crash all begins anew.
$session = $node->background_psql('postgres');
$session->query_safe("$scan; $query");
cmp_ok(of('scans'), '>', 0, 'before a crash');
my $log = -s $node->logfile;
kill 'KILL', $session->query_safe('SELECT pg_backend_pid()');
$node->wait_for_log(qr/ready to accept connections/, $log);
$node->poll_query_until('postgres', 'SELECT true') or die;
is(of('scans'), 0, 'after it');
sql("$scan; $query");
is(of('scans'), 1, 'and it is counted');
eval { $session->{run}->kill_kill };

# No memory for a segment.
$node->restart;
my $directory = $node->data_dir . '/pg_dynshmem';
chmod(0500, $directory) or die $!;
$log = -s $node->logfile;
SKIP:
{
	skip 'a superuser of the operating system writes anywhere', 3 if $> == 0;
	($status, $out, $error) = $node->psql('postgres', "$scan; SET client_min_messages = error; $query; $query");
	is("$status|$out", "0|$rows\n$rows", 'without memory for statistics queries answer');
	is(sql(q{SELECT count(*), count(scans) FROM pg_stat_xtree_indexes WHERE indexrelname = 'points_xtree'}), '1|0', 'and nothing is known');
	my $said = () = slurp_file($node->logfile, $log) =~ /uses of xtree indexes are not counted/g;
	is($said, 2, 'each session says so once');
}
chmod(0700, $directory) or die $!;
$node->stop;
unlike(slurp_file($node->logfile), qr/PANIC|TRAP|signal 6|signal 11|WARNING:  .*leak/, 'no process crashed but the one that was killed');
done_testing();
