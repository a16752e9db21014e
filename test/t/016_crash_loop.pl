# kill -9 under a write load, again and again, of a backend or of the postmaster, at moments that nobody has chosen. After every recovery:
#  - xtree_check with every row, on all indexes: nothing is missing and nothing twice
#  - what a session was told to be committed is there (each writer counts what was acknowledged), rows of one transaction all or none
#  - the index answers as the table does; prepared transactions are still there, and commit or roll back
#  - unlogged tables are empty and take rows
# Rounds alternate between wal_level = replica and minimal; with minimal also: a table created, filled and indexed in one transaction, and a
# crash right after its commit. At the end VACUUM has swept what crashes leaked: every page of an emptied index is reachable or given free.
# XTREE_CRASH_SECONDS (10) is the time under load; the file prints how often it has killed.
# Killing processes cannot show that files are synced: what the operating system has taken survives. Nor do these kills often leak a page
# (followers of a supernode that splits): without VACUUM's sweep of them the test passed; test/unit/tree_vacuum_test.cpp shows that one.
# Seen to fail: with changes of single pages that are not in the log (xtree_check names a row that is missing after the first kill).
use strict;
use warnings;

use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);

my $seconds = $ENV{XTREE_CRASH_SECONDS} // 10;
srand($ENV{XTREE_CRASH_SEED} // 4);

my $node = PostgreSQL::Test::Cluster->new('crash_loop');
$node->init;
$node->append_conf('postgresql.conf', <<'CONF');
restart_after_crash = on
autovacuum = off
max_wal_senders = 0
max_prepared_transactions = 20
max_wal_size = '64MB'
shared_buffers = '4MB'
wal_skip_threshold = '0'
shared_preload_libraries = 'xtree'
xtree.naptime = '100ms'
xtree.map_after = 0
statement_timeout = '30s'
log_statement = none
CONF
$node->start;
my @columns = map { "c$_" } 1 .. 16;
my $list = join ', ', @columns;
$node->safe_psql('postgres', q{
	CREATE EXTENSION xtree;
	CREATE TABLE t (writer int, batch int, p point, k int);
	CREATE INDEX t_p ON t USING xtree (p);
	CREATE INDEX t_all ON t USING xtree (p, k) WITH (max_overlap = 0, min_fanout = 0.5, max_supernode_pages = 5);
	CREATE TABLE two_phase (id int, p point);
	CREATE INDEX two_phase_p ON two_phase USING xtree (p);
	CREATE UNLOGGED TABLE unlogged (id int, p point);
	CREATE INDEX unlogged_p ON unlogged USING xtree (p);} .
	'CREATE TABLE wide (writer int, ' . join(', ', map { "$_ float8" } @columns) . ');' .
	"CREATE INDEX wide_all ON wide USING xtree ($list) WITH (max_overlap = 0, min_fanout = 0.5, max_supernode_pages = 6)");

my $writers = 4;
my $batch = 20;    # rows of a transaction
my @next = (0) x $writers;
my @acknowledged = ({}) x $writers;
my ($kills, $two_phase, $in_doubt) = (0, 0, 0);
my %settled;       # prepared transactions and what is to become of them

# A statement of a transaction each, with an echo once it is acknowledged. The last writer deletes and vacuums as well.
sub script
{
	my ($writer) = @_;
	my $values = join ', ', map { "sin(r * 37 * $_)" } 1 .. 16;
	my $script = '';
	for (1 .. 1500)
	{
		my $number = $next[$writer]++;
		$script .= "BEGIN; INSERT INTO t SELECT $writer, $number, point(random() * 100, random() * 100), i FROM generate_series(1, $batch) i;"
			. "INSERT INTO wide SELECT $writer, $values FROM (SELECT random() * 1000 AS r FROM generate_series(1, $batch)) s;"
			. "INSERT INTO unlogged SELECT i, point(random(), random()) FROM generate_series(1, $batch) i; COMMIT;\n\\echo done $number\n";
		$script .= "DELETE FROM wide WHERE writer = $writer AND c1 < random() - 0.5; VACUUM wide, t;\n" if $writer == 0 && $number % 10 == 9;
		$script .= "REINDEX INDEX CONCURRENTLY t_p;\n" if $writer == 1 && $number % 25 == 24;
		$script .= "CHECKPOINT;\n" if $writer == 2 && $number % 15 == 14;
	}
	return $script;
}

sub prepare_some
{
	foreach my $fate ('COMMIT', 'ROLLBACK')
	{
		my $id = ++$two_phase;
		my ($failed) = $node->psql('postgres', "BEGIN; INSERT INTO two_phase SELECT $id, point(random(), random()) FROM generate_series(1, 300) i; PREPARE TRANSACTION 'x$id'");
		$settled{$id} = $fate if !$failed;
	}
}

# The postmaster's process number is taken until somebody has waited for it, its shared memory until its last child has gone.
sub kill_and_start
{
	my ($pid) = slurp_file($node->data_dir . '/postmaster.pid') =~ /^(\d+)/;
	$node->kill9;
	for (1 .. 100) { last if !kill 0, $pid; usleep(50_000); }
	for (1 .. 100)
	{
		return if $node->start(fail_ok => 1);
		$node->{_pid} = undef;
		usleep(100_000);
	}
	die 'the server does not start';
}

sub round
{
	my ($what) = @_;
	prepare_some();
	my (@sessions, @output);
	foreach my $writer (0 .. $writers - 1)
	{
		my $file = $node->basedir . "/writer$writer.sql";
		open my $script, '>', $file or die $!;
		print $script script($writer);
		close $script;
		$output[$writer] = '';
		push @sessions, IPC::Run::start([ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-f', $file, '-d', $node->connstr('postgres') ],
			'<', \undef, '>', \$output[$writer], '2>', \my $ignored, IPC::Run::timeout(120));
	}
	my $until = time() + 0.3 + rand 0.9;
	while (time() < $until) { $_->pump_nb for @sessions; usleep(20_000); }
	my $offset = -s $node->logfile;
	if ($what eq 'postmaster')
	{
		kill_and_start();
	}
	else
	{
		my @pids = split /\n/, $node->safe_psql('postgres', q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()});
		kill 'KILL', $pids[ rand @pids ] or die 'no writer is left to kill';
	}
	$kills++;
	foreach my $session (@sessions) { $session->finish }
	foreach my $writer (0 .. $writers - 1) { $acknowledged[$writer] = { %{ $acknowledged[$writer] }, map { $_ => 1 } $output[$writer] =~ /^done (\d+)$/mg } }
	$node->wait_for_log(qr/ready to accept connections/, $offset);
	$node->poll_query_until('postgres', 'SELECT true') or die 'no recovery';
}

sub recovered
{
	my ($what) = @_;
	# Prepared transactions hold locks on their table, which is checked when they are settled.
	$node->safe_psql('postgres', $_) foreach split /\n/, $node->safe_psql('postgres',    # of REINDEX CONCURRENTLY
		q{SELECT 'DROP INDEX ' || indexrelid::regclass FROM pg_index WHERE NOT indisvalid AND indrelid = 't'::regclass});
	is($node->safe_psql('postgres', q{SELECT xtree_check(indexrelid, true) FROM pg_stat_xtree_indexes i JOIN pg_index USING (indexrelid) WHERE indisvalid AND relname <> 'two_phase'}) =~ s/\n//gr,
		'', "$what: xtree_check of all indexes");
	my $query = q{SELECT count(*), sum(batch) FROM t WHERE p <@ box '(20,20),(70,70)' AND k > 3; SELECT count(*) FROM wide WHERE c1 < 0.3 AND c16 > -0.2};
	is($node->safe_psql('postgres', "SET enable_seqscan = off; $query"), $node->safe_psql('postgres', "SET enable_indexscan = off; SET enable_bitmapscan = off; $query"),
		"$what: indexes answer as tables do");
	# Found by the index, counted by transaction.
	my %found = map { $_ => 1 } split /\n/, $node->safe_psql('postgres',
		q{SET enable_seqscan = off; SELECT writer || ' ' || batch || ' ' || count(*) FROM t WHERE p <@ box '(-1,-1),(101,101)' GROUP BY writer, batch});
	my @missing = map { my $writer = $_; grep { !$found{"$writer $_ $batch"} } keys %{ $acknowledged[$writer] } } 0 .. $writers - 1;
	is(scalar @missing, 0, "$what: no acknowledged transaction is missing");
	is(scalar(grep { !/ $batch$/ } keys %found), 0, "$what: transactions are there in whole or not at all");
	$node->safe_psql('postgres', 'INSERT INTO unlogged SELECT i, point(i, i) FROM generate_series(1, 500) i');
	is($node->safe_psql('postgres', q{SET enable_seqscan = off; SELECT count(*) FROM unlogged WHERE p <@ box '(1,1),(9999,9999)'}), 500, "$what: the unlogged table is empty and takes rows");
	settle($what);
}

# Prepared transactions of before the crash.
sub settle
{
	my ($what) = @_;
	my @prepared = split /\n/, $node->safe_psql('postgres', 'SELECT gid FROM pg_prepared_xacts ORDER BY 1');
	is_deeply([ sort @prepared ], [ sort map { "x$_" } keys %settled ], "$what: prepared transactions are as they were");
	my $before = $node->safe_psql('postgres', 'SELECT count(*) FROM two_phase');
	$node->safe_psql('postgres', "$settled{$_} PREPARED 'x$_'") for keys %settled;
	my $committed = 300 * grep { $_ eq 'COMMIT' } values %settled;
	%settled = ();
	is($node->safe_psql('postgres', q{SET enable_seqscan = off; SELECT count(*) FROM two_phase WHERE p <@ box '(-1,-1),(2,2)'}), $before + $committed,
		"$what: they commit and roll back");
	is($node->safe_psql('postgres', q{SELECT xtree_check('two_phase_p', true)}), '', "$what: xtree_check thereafter");
}

# Without a log of it, a file must be on disk before its transaction has committed.
my $made = 0;
sub made_in_one_transaction
{
	$made++;
	$node->safe_psql('postgres', 'CHECKPOINT');
	my $data = join '', map { sprintf "%d\t(%f,%f)\n", $_, rand 100, rand 100 } 1 .. 3000;
	my $script = "BEGIN; CREATE TABLE made_$made (id int, p point); CREATE INDEX made_${made}_before ON made_$made USING xtree (p);\n"
		. "COPY made_$made FROM STDIN;\n$data\\.\n" . "CREATE INDEX made_${made}_after ON made_$made USING xtree (p, id); COMMIT;\n";
	my $file = $node->basedir . '/made.sql';
	open my $out, '>', $file or die $!;
	print $out $script;
	close $out;
	run_log([ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-f', $file, '-d', $node->connstr('postgres') ]) or die 'the table is not made';
	kill_and_start();
	$kills++;
	is($node->safe_psql('postgres', qq{SET enable_seqscan = off; SELECT count(*) FROM made_$made WHERE p <@ box '(-1,-1),(101,101)'}), 3000, "table $made made in one transaction: all rows");
	is($node->safe_psql('postgres', qq{SELECT xtree_check('made_${made}_before', true), xtree_check('made_${made}_after', true)}), '|', "table $made: xtree_check");
}

my $end = time() + $seconds;
for (my $round = 0; $round < 2 || time() < $end; $round++)
{
	foreach my $what ('backend', 'postmaster')
	{
		round($what);
		recovered("round $round, $what");
	}
	my $level = $round % 2 ? 'replica' : 'minimal';
	$node->append_conf('postgresql.conf', "wal_level = $level");
	$node->restart;
	made_in_one_transaction() if $level eq 'minimal';
}
my $acknowledged = 0;
$acknowledged += keys %$_ for @acknowledged;
cmp_ok($acknowledged, '>', 20, "$kills kills, $acknowledged transactions acknowledged");

# What crashes leaked.
$node->safe_psql('postgres', 'TRUNCATE unlogged; DELETE FROM wide; VACUUM wide; SELECT txid_current(); SELECT txid_current(); VACUUM wide; VACUUM wide');
my $unused = $node->safe_psql('postgres', q{
	CREATE EXTENSION pg_freespacemap;
	SELECT pg_relation_size('wide_all') / 8192 - 1 - (SELECT sum(pages) FROM xtree_nodes('wide_all')) - (SELECT count(*) FROM pg_freespace('wide_all') WHERE avail > 0)});
is($unused, 0, 'every page is reachable or free after VACUUM');
recovered('at the end');
$node->stop;
done_testing();
