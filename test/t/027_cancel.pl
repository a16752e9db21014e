# A session is cancelled, runs into statement_timeout, is terminated, or loses its client while it stands at any stop point, with pages
# locked or not; then statements run into timeouts wherever they happen to be. The index stays valid, nobody is left waiting, what was not
# committed is gone, a cancelled session goes on with its next statement, and nobody counts as mapping an index in the end. Then 200 sessions at
# once, which read and write one index.
# Seen to fail: where the end of a scan that was cancelled does not end its use of the mapping (the index cannot be unloaded any more); where a
# session that ends does not let go of its mappings (it counts as one that maps for ever).
use strict;
use warnings;

use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use XtreeTest;

my $node = PostgreSQL::Test::Cluster->new('cancel');
$node->init;
$node->append_conf('postgresql.conf', <<'CONF');
max_connections = 230
autovacuum = off
restart_after_crash = off
shared_preload_libraries = 'xtree'
xtree.map_after = 0
max_parallel_maintenance_workers = 0
deadlock_timeout = '10ms'    # how soon a wait is reported
log_lock_waits = on
CONF
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION xtree');
need_stop_points($node);
my @columns = map { "c$_" } 1 .. 16;
my $list = join ', ', @columns;
my $values = join ', ', map { 'random()' } @columns;
$node->safe_psql('postgres', 'CREATE TABLE t (id serial, ' . join(', ', map { "$_ float8" } @columns) . ');'
	. "CREATE INDEX t_x ON t USING xtree ($list) WITH (max_overlap = 0, min_fanout = 0.5, max_supernode_pages = 6)");
my $insert = "INSERT INTO t ($list) SELECT $values FROM generate_series(1, 200);";
$node->safe_psql('postgres', 'CREATE TABLE p (id int, p point); CREATE INDEX p_x ON p USING xtree (p); INSERT INTO p SELECT i, point(i % 100, i / 100) FROM generate_series(1, 60000) i; VACUUM p');
# The data are random, and a tree may come to have no supernode any more.
sub grow_tree
{
	$node->safe_psql('postgres', 'TRUNCATE t');
	$node->safe_psql('postgres', $insert) for 1 .. 30;
}
grow_tree();

# Somebody holds the lock that stop points wait for.
my ($gate_in, $gate_out) = ('SELECT pg_advisory_lock(77);' . "\n", '');
my $gate = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres') ], '<', \$gate_in, '>', \$gate_out, IPC::Run::timeout(600));
$gate->pump while length $gate_in;
$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_locks WHERE locktype = 'advisory' AND granted});

my $waiting = q{SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted};
my $read = q{SET enable_seqscan = off; SET enable_indexonlyscan = off; SELECT count(*) FROM };
my %statement = (
	(map { $_ => $insert } qw(insert-begin insert-between-nodes insert-before-grow-box insert-after-grow-box insert-before-leaf insert-after-leaf insert-end
		commit-before-wal split-before-commit split-after-commit split-after-move split-after-follower split-after-free supernode-before-commit
		supernode-after-commit commit-split-before-wal)),
	(map { $_ => 'VACUUM t' } qw(vacuum-before-remove vacuum-after-remove vacuum-before-unlink vacuum-after-unlink)),
	(map { $_ => "CREATE INDEX made ON t USING xtree ($list)" } qw(build-begin build-row build-tree build-meta)),
	'build-distribute' => "SET maintenance_work_mem = '1MB'; CREATE INDEX made ON p USING xtree (p, id)",
	'read-follower' => "SET xtree.use_mmap = off; $read t WHERE c1 < 0.4",
	(map { $_ => "SELECT xtree_load('p_x'); $read p WHERE p <@ box '(10,10),(60,60)'" } qw(registry-mapped mapped-open mapped-read)));

# Runs a statement until it waits at the stop point, repeats where it ends without having come there; ends it in one of four ways.
my $ended = 0;
my $milliseconds = 200;
sub end_at
{
	my ($point, $how) = @_;
	for my $try (1 .. 200)
	{
		grow_tree() if $try % 50 == 0;  # long enough for a supernode to grow and to be split
		$node->safe_psql('postgres', 'DROP INDEX IF EXISTS made') if $point =~ /^build/;
		$node->safe_psql('postgres', $insert x 5 . 'DELETE FROM t WHERE id % 20 <> 0') if $point =~ /^vacuum/;
		my $limit = { timeout => "SET statement_timeout = $milliseconds;", vanish => q{SET client_connection_check_interval = '50ms';} }->{$how} // '';
		my ($out, $error, $pid) = ('', '', '');
		my $session = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres'), (map { ('-c', $_) } 'SET client_min_messages = log', "SET xtree.stop_point = '$point:wait:77'", split(/; */, "$limit$statement{$point}"), 'SET statement_timeout = 0', q{SET xtree.stop_point = ''}, q{SELECT 'alive'}) ],
			'<', \undef, '>', \$out, '2>', \$error, IPC::Run::timeout(180));
		if ($how ne 'timeout')
		{
			while ($pid eq '' && $session->pumpable) { $session->pump_nb; $pid = $node->safe_psql('postgres', $waiting); }
			$node->safe_psql('postgres', $how eq 'cancel' ? "SELECT pg_cancel_backend($pid)" : "SELECT pg_terminate_backend($pid)") if $pid ne '' && $how ne 'vanish';
		}
		if ($how eq 'vanish')
		{
			$session->kill_kill(grace => 0) if $pid ne '';
			$session->finish if $pid eq '';
			next if $pid eq '' || !$node->poll_query_until('postgres', "SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = $pid");
			$ended++;
			return 1;
		}
		$session->finish;
		# A timeout that came too early for the stop point is no reason to repeat for ever.
		$milliseconds *= 2 if $how eq 'timeout' && $error =~ /due to statement timeout/ && $error !~ /still waiting for/;
		my $seen = { cancel => qr/due to user request/, timeout => qr/still waiting for.*due to statement timeout/s, terminate => qr/administrator command/ }->{$how};
		next unless $error =~ $seen;
		$ended++;
		return $how eq 'terminate' || $out =~ /alive/ ? 1 : 0;
	}
	return 0;
}

sub valid
{
	my ($what) = @_;
	is($node->safe_psql('postgres', q{SELECT xtree_check('t_x', true), xtree_check('p_x', true), (SELECT count(*) FROM pg_class WHERE relname = 'made'), (SELECT count(*) FROM pg_locks WHERE NOT granted)}),
		'||0|0', "$what: the indexes are valid, nothing is left");
}

# VACUUM comes last: a tree that has been thinned out hardly ever splits a supernode.
foreach my $point (sort keys %statement)
{
	foreach my $how ('cancel', 'timeout', 'terminate', 'vanish')
	{
		ok(end_at($point, $how), "$how at $point");
	}
	valid($point);
	is($node->safe_psql('postgres', q{SELECT xtree_unload('p_x')}), 't', "$point: no scan is counted as running") if $point =~ /^(registry|mapped)/;
}
note("$ended statements ended at stop points");
valid('afterwards');
$gate_in = "\\q\n";
$gate->finish;

# Timeouts anywhere: each statement again and again, a little longer each time, until it ends in time.
my %timed = (
	'a build' => "CREATE INDEX made ON t USING xtree ($list)",
	'a build through files' => "SET maintenance_work_mem = '1MB'; CREATE INDEX made ON p USING xtree (p, id)",
	'inserts' => $insert x 3,
	'a rebuild' => 'REINDEX INDEX t_x',
	'VACUUM' => 'VACUUM t',
	'a plain scan' => "$read p WHERE p <@ box '(10,10),(90,590)' AND id % 7 > 1",
	'an ordered scan' => 'SET enable_seqscan = off; SELECT count(*) FROM (SELECT id FROM p ORDER BY p <-> point(5, 5)) s',
	'xtree_check' => q{SELECT xtree_check('t_x', true), xtree_check('p_x', true)});
foreach my $what (sort keys %timed)
{
	my ($limit, $hits) = (1, 0);
	while (1)
	{
		my ($status, undef, $error) = $node->psql('postgres', "SET statement_timeout = $limit; " . $timed{$what} =~ s/; *(?=\S)/;\n/gr);
		$node->safe_psql('postgres', 'DROP INDEX IF EXISTS made');
		last if $status == 0;
		die $error if $error !~ /due to statement timeout/;
		$hits++;
		$limit += 1 + int($limit / 4);
	}
	cmp_ok($hits, '>', 0, "$what: $hits timeouts");
	valid("timeouts of $what");
}
is($node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM pg_stat_xtree_indexes WHERE backends > 0}), 1, 'no session is counted that is gone');
is($node->safe_psql('postgres', q{SELECT xtree_load('p_x') AND xtree_unload('p_x')}), 't', 'the index is not held by anyone');

# 200 sessions.
my $script = $node->basedir . '/many.sql';
append_to_file($script, q{\set x random(0, 99)
\set y random(0, 199)
INSERT INTO p VALUES (:x + 100000, point(:x + 0.5, :y + 0.5));
SET enable_seqscan = off;
SELECT count(*) FROM p WHERE p <@ box(point(:x, :y), point(:x + 3, :y + 3));
SELECT id FROM p ORDER BY p <-> point(:x, :y) LIMIT 5;
DELETE FROM p WHERE p <@ box(point(:y, :x), point(:y + 0.6, :x + 0.6)) AND id > 100000;
});
$node->command_ok([ 'pgbench', '-n', '-c', 200, '-j', 2, '-t', $ENV{XTREE_SESSION_TRANSACTIONS} // 20, '-f', $script, '-h', $node->host, '-p', $node->port, 'postgres' ], '200 sessions at once');
valid('after 200 sessions');
my $query = q{SELECT count(*), sum(id) FROM p WHERE p <@ box '(-1,-1),(300,300)'};
is($node->safe_psql('postgres', "SET enable_seqscan = off; $query"), $node->safe_psql('postgres', "SET enable_indexscan = off; SET enable_bitmapscan = off; SET enable_indexonlyscan = off; $query"), 'the index answers as the table does');
$node->stop;
done_testing();
