# CREATE INDEX by several processes: workers take part, each failure of each of them ends the statement and nothing else.
#  - workers build while the leader waits; without free worker slots the leader builds alone
#  - an ERROR and a crash of the leader or a worker at every step (stop points), a cancelled leader, a terminated worker: no index is
#    left, no temporary file, and the same statement succeeds afterwards
#  - what workers wrote is there after a crash, with and without WAL, and on a standby
# The leader sleeps at each of its rows, so that workers have started long before it has scanned the table.
# Seen to fail: with the last pages of workers not flushed; with the broken HOT chains that workers saw not passed on to the leader;
# with the pages that workers write not logged (the standby finds pages of zeroes).
use strict;
use warnings;

use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my @columns = map { "c$_" } 1 .. 16;
my $list = 'late(id), ' . join ', ', @columns;

sub create_node
{
	my ($name, @settings) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);
	$node->init(allows_streaming => 1);
	$node->append_conf('postgresql.conf', join "\n", 'autovacuum = off', 'wal_keep_size = 4GB', 'restart_after_crash = on', 'max_worker_processes = 8',
		'max_parallel_maintenance_workers = 2', 'log_min_messages = debug1', q{statement_timeout = '180s'}, @settings, '');
	$node->start;
	return $node;
}

# late() knows the leader by its process number.
my $table = 'CREATE TABLE t (id int, ' . join(', ', map { "$_ float8" } @columns) . q{) WITH (parallel_workers = 2);
	INSERT INTO t SELECT i, } . join(', ', map { "random()" } @columns) . q{ FROM generate_series(1, 6000) i;};
my $late = q{CREATE FUNCTION late(id int) RETURNS int IMMUTABLE PARALLEL SAFE LANGUAGE plpgsql AS $$
	BEGIN
	  IF pg_backend_pid() = current_setting('test.leader', true)::int THEN PERFORM pg_sleep(0.001); END IF;
	  RETURN id;
	END $$;};
my $set_leader = q{SELECT set_config('test.leader', pg_backend_pid()::text, false);};
my $build = "$set_leader CREATE INDEX t_xtree ON t USING xtree ($list)";

sub built_by
{
	my ($node, $offset) = @_;
	my $log = substr slurp_file($node->logfile), $offset;
	return $log =~ /index "t_xtree" was built by (\d+) of 3 planned processes in (\d+) parts/ ? ($1, $2) : (0, 0);
}

sub index_is_complete
{
	my ($node, $what) = @_;
	my ($status, undef, $error) = $node->psql('postgres', q{SELECT xtree_check('t_xtree', true)});
	is($status, 0, "$what: the index is complete") or diag($error);
}

sub nothing_is_left
{
	my ($node, $what) = @_;
	is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_class WHERE relname = 't_xtree'}), 0, "$what: no index");
	is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_ls_tmpdir()}), 0, "$what: no temporary file");
}

my $node = create_node('parallel');
$node->safe_psql('postgres', "CREATE EXTENSION xtree; $late $table");

# Workers take part.
my $offset = -s $node->logfile;
$node->safe_psql('postgres', $build);
my ($processes, $parts) = built_by($node, $offset);
cmp_ok($processes, '>', 1, "$processes processes built the index");
cmp_ok($parts, '>', 3, "in $parts parts");
index_is_complete($node, 'parallel build');
$node->safe_psql('postgres', 'DROP INDEX t_xtree');

$offset = -s $node->logfile;
$node->safe_psql('postgres', "SET max_parallel_workers = 0; $build");
($processes) = built_by($node, $offset);
is($processes, 0, 'without free workers the leader builds alone');
index_is_complete($node, 'build without free workers');
$node->safe_psql('postgres', 'DROP INDEX t_xtree');

$offset = -s $node->logfile;
$node->safe_psql('postgres', qq{$set_leader CREATE INDEX CONCURRENTLY t_xtree ON t USING xtree ($list)});
($processes) = built_by($node, $offset);
cmp_ok($processes, '>', 1, "$processes processes built the index concurrently");
index_is_complete($node, 'concurrent build');
$offset = -s $node->logfile;
$node->safe_psql('postgres', "$set_leader REINDEX INDEX CONCURRENTLY t_xtree");
like(substr(slurp_file($node->logfile), $offset), qr/was built by [23] of 3 planned processes/, 'REINDEX CONCURRENTLY with workers');
index_is_complete($node, 'REINDEX CONCURRENTLY');
$node->safe_psql('postgres', 'DROP INDEX t_xtree');

# Rows that only an older snapshot sees are in the index, and row versions that no entry leads to make the index wait for new snapshots,
# also where a worker was who saw them.
my ($old_in, $old_out) = ('', '');
my $old = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres') ], '<', \$old_in, '>', \$old_out);
$node->safe_psql('postgres', 'UPDATE t SET c1 = c1 + 2 WHERE id % 3 = 0; VACUUM t');
my $old_rows = $node->safe_psql('postgres', 'SELECT count(*), sum(id) FROM t WHERE c1 < 0.9 AND c16 > 0.1');
$old_in .= "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 'begun' FROM t LIMIT 1;\n";
$old->pump until $old_out =~ /begun/;
$node->safe_psql('postgres', 'DELETE FROM t WHERE id % 7 = 0');
$offset = -s $node->logfile;
$node->safe_psql('postgres', $build);
($processes) = built_by($node, $offset);
cmp_ok($processes, '>', 1, "$processes processes index rows that only an older snapshot sees");
my $valid_now = q{SELECT indcheckxmin FROM pg_index WHERE indexrelid = 't_xtree'::regclass};
is($node->safe_psql('postgres', $valid_now), 'f', 'which may use the index');
$old_out = '';
$old_in .= "SET enable_seqscan = off;\nEXPLAIN SELECT count(*), sum(id) FROM t WHERE c1 < 0.9 AND c16 > 0.1;\nSELECT count(*), sum(id) FROM t WHERE c1 < 0.9 AND c16 > 0.1;\n\\echo answered\n";
$old->pump until $old_out =~ /answered/;
like($old_out, qr/t_xtree/, 'and does');
like($old_out, qr/^\Q$old_rows\E$/m, 'and finds them');
$old_in .= "COMMIT; BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 'begun again';\n";
$old->pump until $old_out =~ /begun again/;
$node->safe_psql('postgres', 'DROP INDEX t_xtree; UPDATE t SET c2 = c2 + 1 WHERE id > 5000 AND id % 5 = 1');
$node->safe_psql('postgres', "SET synchronize_seqscans = off; $build");
is($node->safe_psql('postgres', $valid_now), 't', 'an index with broken HOT chains waits for new snapshots');
$old_in .= "\\q\n";
$old->finish;
$node->safe_psql('postgres', 'DROP INDEX t_xtree');

# Starts a build that waits at a stop point until the lock is given back; returns what is needed to end it.
sub start_waiting_build
{
	my ($point) = @_;
	my ($in, $out, $error) = ('', '', '');
	my $holder = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres') ], '<', \$in, '>', \$out, '2>', \$error);
	$in .= "SELECT pg_advisory_lock(5);\n\\echo locked\n";
	$holder->pump until $out =~ /locked/;
	my ($output, $failure) = ('', '');
	my $builder = IPC::Run::start([ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres'), '-c', "SET xtree.stop_point = '$point:wait:5'",
			'-c', $set_leader, '-c', "CREATE INDEX t_xtree ON t USING xtree ($list)" ], '<', \undef, '>', \$output, '2>', \$failure);
	$node->poll_query_until('postgres', q{SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted}) or die "no build waits at $point";
	return {
		release => sub { $in .= "\\q\n"; $holder->finish; },
		failure => sub { $builder->finish; return $failure; },
	};
}

SKIP:
{
	my ($status) = $node->psql('postgres', q{LOAD 'xtree'; SHOW xtree.stop_point});
	skip 'the library was built without stop points', 1 if $status != 0;

	my $build_waits = start_waiting_build('build-leader-begin');
	ok($node->poll_query_until('postgres', q{SELECT count(*) = 2 FROM pg_stat_activity
		WHERE backend_type = 'parallel worker' AND wait_event = 'ParallelCreateIndexScan'}), 'workers scan the table without the leader, and wait for it');
	$build_waits->{release}->();
	is($build_waits->{failure}->(), '', 'the build goes on');
	index_is_complete($node, 'build with a late leader');
	$node->safe_psql('postgres', 'DROP INDEX t_xtree');

	foreach my $point (map { ("build-leader-$_", "build-worker-$_") } 'scanned', 'distributed', 'part')
	{
		$build_waits = start_waiting_build($point);
		$node->safe_psql('postgres', q{SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND query LIKE 'CREATE INDEX%'});
		like($build_waits->{failure}->(), qr/canceling statement due to user request/, "cancelled at $point");
		$build_waits->{release}->();
		nothing_is_left($node, "cancelled at $point");

		next if $point eq 'build-leader-part';  # the workers may have built all parts, and gone
		$build_waits = start_waiting_build($point);
		$node->safe_psql('postgres', q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'parallel worker'});
		like($build_waits->{failure}->(), qr/terminating background worker "parallel worker" due to administrator command/, "workers terminated at $point");
		$build_waits->{release}->();
		nothing_is_left($node, "workers terminated at $point");
	}
	foreach my $point ((map { ("build-leader-$_", "build-worker-$_") } 'scanned', 'distributed', 'part'), 'build-leader-finish')
	{
		my (undef, undef, $error) = $node->psql('postgres', "SET xtree.stop_point = '$point:error'; $build");
		like($error, qr/stopped at "$point"/, "error at $point is reported");
		nothing_is_left($node, "error at $point");
	}
	foreach my $point ('build-worker-scanned', 'build-worker-part', 'build-leader-part', 'build-leader-finish')
	{
		my $file = $node->basedir . '/script.sql';
		append_to_file($file, "SET xtree.stop_point = '$point:crash';\n$set_leader\nCREATE INDEX t_xtree ON t USING xtree ($list);\n");
		my (undef, undef, $error) = $node->psql('postgres', "\\i $file");
		unlink $file;
		like($error, qr/terminat|connection/, "crash at $point");
		$node->poll_query_until('postgres', 'SELECT true') or die 'no recovery';
		nothing_is_left($node, "crash at $point");
	}
}

# What workers logged, on a standby; and after a crash.
$node->safe_psql('postgres', 'CHECKPOINT');
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
$offset = -s $node->logfile;
$node->safe_psql('postgres', $build);
($processes) = built_by($node, $offset);
cmp_ok($processes, '>', 1, "$processes processes log the index");
$node->wait_for_catchup($standby);
my $count = 'SET enable_seqscan = off; SELECT count(*), sum(id) FROM t WHERE c1 < 0.9 AND c16 > 0.1';
is($standby->safe_psql('postgres', $count), $node->safe_psql('postgres', $count), 'the standby has the rows');
like($standby->safe_psql('postgres', "SET enable_seqscan = off; EXPLAIN SELECT count(*) FROM t WHERE c1 < 0.9"), qr/t_xtree/, 'from its index');
$standby->stop;
$node->stop('immediate');
$node->start;
index_is_complete($node, 'after a crash');
$node->stop;

my $minimal = create_node('minimal', 'wal_level = minimal', 'max_wal_senders = 0', 'fsync = on');
$offset = -s $minimal->logfile;
$minimal->safe_psql('postgres', "CREATE EXTENSION xtree; $late");
$minimal->safe_psql('postgres', "BEGIN; $table $build; COMMIT");
($processes) = built_by($minimal, $offset);
cmp_ok($processes, '>', 1, "$processes processes build without WAL");
$minimal->stop('immediate');
$minimal->start;
index_is_complete($minimal, 'a crash after a build without WAL');
$minimal->stop;

done_testing();
