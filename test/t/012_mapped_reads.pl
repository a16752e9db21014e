# Reading through mappings: the answers are those of the table while pages change, are written, torn, truncated, in every case that the
# freshness protocol names (src/README.md, "Mapped reads"). Each rule is then broken on purpose (xtree.break_rule), and the wrong answer that
# follows is the proof that the case above it was one:
#  - publish: a writer does not raise the slots of the pages that it changed
#  - admission: the worker admits a file whose last changes are in shared buffers only
#  - checkpoint: pages are trusted up to a checkpoint that has begun, not one that is complete
#  - recheck: a page is not looked at again after it was read (it was split and written meanwhile)
#  - pins: an index-only scan reads leaves that it does not pin (VACUUM does not wait for it)
#  - serializable: SERIALIZABLE transactions read pages without predicate locks
use strict;
use warnings;

use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use XtreeTest;

my $settings = <<'CONF';
shared_preload_libraries = 'xtree'
autovacuum = off
bgwriter_lru_maxpages = 0
checkpoint_timeout = '1h'
max_wal_size = '4GB'
wal_keep_size = '4GB'
shared_buffers = '64MB'
log_checkpoints = on
xtree.naptime = '100ms'
xtree.map_after = 0
xtree.idle_timeout = 0
statement_timeout = '180s'
CONF

my $node = PostgreSQL::Test::Cluster->new('mapped');
$node->init(allows_streaming => 1, no_data_checksums => 1);  # they would notice what the protocol is to notice
$node->append_conf('postgresql.conf', $settings);
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION xtree');
need_stop_points($node);

# Through the index, by a plain scan or the bitmap; never index-only.
my $by_index = 'SET enable_seqscan = off; SET enable_indexonlyscan = off;';
my $everywhere = q{p <@ box '(-1,-1),(1001,1001)'};

sub by_index
{
	my ($server, $settings, $where) = @_;
	return $server->safe_psql('postgres', "$settings $by_index SELECT count(*), sum(id) FROM t WHERE " . ($where // $everywhere));
}

sub by_scan
{
	my ($server, $where) = @_;
	return $server->safe_psql('postgres', 'SET enable_indexscan = off; SET enable_bitmapscan = off; SELECT count(*), sum(id) FROM t WHERE ' . ($where // $everywhere));
}

sub statistic { my ($server, $column) = @_; return $server->safe_psql('postgres', "SELECT $column FROM pg_stat_xtree_indexes WHERE indexrelname = 't_x'"); }

sub load
{
	my ($server) = @_;
	is($server->safe_psql('postgres', q{SELECT xtree_load('t_x')}), 't', 'the index is loaded');
}

# A table whose index has a root and some leaves, all written to the file.
sub fresh_table
{
	my ($server) = @_;
	$server->safe_psql('postgres', q{
		DROP TABLE IF EXISTS t;
		CREATE TABLE t (id int, p point);
		INSERT INTO t SELECT i, point(i % 100, i / 100) FROM generate_series(1, 5000) i;
		CREATE INDEX t_x ON t USING xtree (p);
		CHECKPOINT});
	load($server);
}

# Pages read through the mapping by the statement, and its answer.
sub mapped_by
{
	my ($server, $settings) = @_;
	my $before = statistic($server, 'mapped_reads');
	my $answer = by_index($server, $settings);
	return (statistic($server, 'mapped_reads') - $before, $answer);
}

# Reads through the mapping, and not.
fresh_table($node);
my ($reads, $answer) = mapped_by($node, '');
cmp_ok($reads, '>', 10, "$reads pages were read through the mapping");
is($answer, by_scan($node), 'the answer is the table\'s');
is((mapped_by($node, 'SET xtree.use_mmap = off;'))[0], 0, 'none with xtree.use_mmap = off');
is((mapped_by($node, 'SET default_transaction_isolation = serializable;'))[0], 0, 'none in SERIALIZABLE transactions');
$node->safe_psql('postgres', 'VACUUM t');
my $before = statistic($node, 'mapped_reads');
is($node->safe_psql('postgres', "SET enable_seqscan = off; SET enable_bitmapscan = off; SELECT count(p) FROM t WHERE $everywhere"), 5000, 'an index-only scan');
is(statistic($node, 'mapped_reads'), $before, 'reads nothing through the mapping');
is($node->safe_psql('postgres', qq{BEGIN; CREATE TABLE own (p point); INSERT INTO own SELECT p FROM t; CREATE INDEX own_x ON own USING xtree (p);
	$by_index SELECT count(*) FROM own WHERE $everywhere; TRUNCATE own; INSERT INTO own VALUES (point(1, 1)); SELECT count(*) FROM own WHERE $everywhere; ROLLBACK}),
	"5000\n1", 'a file that the transaction made is read through buffers, and may be truncated in place');

# A session maps what it uses more than a little, also in the middle of a scan.
cmp_ok((mapped_by($node, 'SET xtree.map_after = 5;'))[0], '>', 5, 'the mapping begins within a scan');
cmp_ok((mapped_by($node, 'SET xtree.map_after = 5;'))[0], '<', $reads, 'with its first pages read through shared buffers');
is((mapped_by($node, 'SET xtree.map_after = 1000;'))[0], 0, 'a session that reads little does not map');
is((mapped_by($node, q{SET xtree.map_after = 1000; DO $$ BEGIN PERFORM xtree_load('t_x'); END $$;}))[0], $reads, 'but where it was asked to');

# Changes that are not in the file yet.
sub insert_one { my ($server, $settings) = @_; $server->safe_psql('postgres', "$settings INSERT INTO t VALUES (-1, point(50.5, 25.5))"); }

insert_one($node, '');
is(by_index($node, ''), by_scan($node), 'a row that was inserted after the load is found');
fresh_table($node);
insert_one($node, q{SET xtree.break_rule = 'publish';});
isnt(by_index($node, ''), by_scan($node), 'it is not if its writer does not raise the slots');
is(by_index($node, 'SET xtree.use_mmap = off;'), by_scan($node), 'though it is in shared buffers');

# For every process, the worker too: a reload begins a cycle of it.
sub change_rule
{
	my ($server, $rule) = @_;
	my $cycles = $server->safe_psql('postgres', 'SELECT cycles FROM pg_stat_xtree_worker');
	$server->append_conf('postgresql.conf', "xtree.break_rule = '$rule'");
	$server->reload;
	$server->poll_query_until('postgres', "SELECT cycles > $cycles FROM pg_stat_xtree_worker") or die 'the worker does not go on';
}

# Admission.
sub load_unwritten
{
	my ($server) = @_;
	$server->safe_psql('postgres', q{
		DROP TABLE IF EXISTS t;
		CREATE TABLE t (id int, p point);
		CREATE INDEX t_x ON t USING xtree (p);
		INSERT INTO t SELECT i, point(i % 100, i / 100) FROM generate_series(1, 5000) i;
		CHECKPOINT;
		INSERT INTO t SELECT i, point(i % 100 + 0.5, i / 100) FROM generate_series(1, 50) i});
	load($server);
}
load_unwritten($node);
is(by_index($node, ''), by_scan($node), 'rows that were inserted before the load are found');
change_rule($node, 'admission');
load_unwritten($node);
isnt(by_index($node, ''), by_scan($node), 'they are not if the worker does not write them');
change_rule($node, '');

sub session
{
	my ($server) = @_;
	my %s = (in => '', out => '', error => '');
	$s{run} = IPC::Run::start([ 'psql', '-XAtq', '-d', $server->connstr('postgres') ], '<', \$s{in}, '>', \$s{out}, '2>', \$s{error}, IPC::Run::timeout(180));
	return \%s;
}

# The leaf of an index-only scan stays pinned, so VACUUM waits for it: otherwise it would take dead rows from the table, and the scan,
# which has their entries, would believe its visibility map.
sub vacuum_under_reader
{
	my ($server, $settings, $waits) = @_;
	fresh_table($server);
	$server->safe_psql('postgres', 'DELETE FROM t WHERE id % 2 = 0; CHECKPOINT');
	load($server);
	my $reader = session($server);
	$reader->{in} .= "$settings SET enable_seqscan = off; SET enable_bitmapscan = off;\nBEGIN; DECLARE c CURSOR FOR SELECT p FROM t WHERE $everywhere; FETCH 1 FROM c;\n\\echo fetched\n";
	$reader->{run}->pump until $reader->{out} =~ /fetched/;
	my ($status) = $server->psql('postgres', q{SET statement_timeout = '2s'; VACUUM t});
	is($status == 0 ? 'done' : 'waits', $waits ? 'waits' : 'done', 'VACUUM beside an index-only scan');
	$reader->{out} = '';
	$reader->{in} .= "FETCH ALL FROM c;\n\\q\n";
	$reader->{run}->finish;
	return 1 + (() = $reader->{out} =~ /^\(/mg);
}
is(vacuum_under_reader($node, '', 1), 2500, 'an index-only scan returns no deleted row');
vacuum_under_reader($node, q{SET xtree.break_rule = 'pins';}, 0);    # VACUUM does not wait for a leaf that was read through the mapping
is($node->safe_psql('postgres', q{VACUUM t; SELECT xtree_check('t_x', true)}), '', 'xtree_check');

# Two transactions that each see no row of the other, and then insert one, cannot both have been first.
sub write_skew
{
	my ($server, $settings) = @_;
	fresh_table($server);
	my @sessions = map { session($server) } 1 .. 2;
	for my $s (@sessions)
	{
		$s->{in} .= "$settings $by_index\nBEGIN ISOLATION LEVEL SERIALIZABLE; SELECT count(*) FROM t WHERE p <@ box '(10.2,10.2),(10.3,10.3)';\n\\echo read\n";
		$s->{run}->pump until $s->{out} =~ /read/;
	}
	for my $s (@sessions)
	{
		$s->{in} .= "INSERT INTO t VALUES (0, point(10.25, 10.25)); COMMIT;\n\\echo written\n";
		$s->{run}->pump until $s->{out} =~ /written/;
		$s->{in} .= "\\q\n";
		$s->{run}->finish;
	}
	return $server->safe_psql('postgres', 'SELECT count(*) FROM t WHERE id = 0');
}
is(write_skew($node, ''), 1, 'one of two SERIALIZABLE transactions fails');
is(write_skew($node, q{SET xtree.break_rule = 'serializable';}), 2, 'neither does if they read through the mapping');

# A page is split and written while it is read.
# The leaf with the point (10, 10) is read while it is split: the header before, the entries after.
sub split_under_reader
{
	my ($server, $settings) = @_;
	fresh_table($server);
	my $holder = session($server);
	$holder->{in} .= "SELECT pg_advisory_lock(7);\n\\echo locked\n";
	$holder->{run}->pump until $holder->{out} =~ /locked/;
	my $where = q{p <@ box '(9.9,9.9),(10.1,10.1)'};
	my ($output, $failure) = ('', '');
	my $reader = IPC::Run::start([ 'psql', '-XAtq', '-d', $server->connstr('postgres'), '-c', "$settings $by_index SET xtree.stop_point = 'mapped-open+1:wait:7'",
			'-c', "SELECT count(*) FROM t WHERE $where" ], '<', \undef, '>', \$output, '2>', \$failure, IPC::Run::timeout(180));
	$server->poll_query_until('postgres', q{SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted}) or die 'the reader does not wait';
	$server->safe_psql('postgres', q{INSERT INTO t SELECT 0, point(10 + i * 0.001, 10.3) FROM generate_series(-2000, 2000) i; CHECKPOINT});
	$holder->{in} .= "\\q\n";
	$holder->{run}->finish;
	$reader->finish;
	is($failure, '', 'the reader goes on');
	chomp $output;
	return $output;
}
is(split_under_reader($node, ''), 1, 'a row of a page that is split while it is read is found');
cmp_ok(statistic($node, 'retries'), '>', 0, 'the page was read again');
is(split_under_reader($node, q{SET xtree.break_rule = 'recheck';}), 0, 'it is not if the page is not looked at again');

# A checkpoint that has begun has a redo position, but not yet written everything.
sub during_checkpoint
{
	my ($server, $settings) = @_;
	fresh_table($server);
	# Older files come first; a spread checkpoint takes its time for them.
	$server->safe_psql('postgres', q{UPDATE filler SET f = f + 1});
	insert_one($server, '');
	my $offset = -s $server->logfile;
	my $backup = session($server);
	$backup->{in} .= "SELECT pg_backup_start('slow', false);\n";
	$backup->{run}->pump_nb;
	for (1 .. 1000)
	{
		$backup->{run}->pump_nb;
		last if substr(slurp_file($server->logfile), $offset) =~ /checkpoint starting: .*/;
		select undef, undef, undef, 0.02;
	}
	my @answers = (by_index($server, $settings), by_scan($server));
	my $complete = substr(slurp_file($server->logfile), $offset) =~ /checkpoint complete/;
	ok(!$complete, 'the checkpoint was going on');
	$server->safe_psql('postgres', 'CHECKPOINT');
	$backup->{in} .= "SELECT pg_backup_stop();\n\\q\n";
	$backup->{run}->finish;
	return @answers;
}
$node->safe_psql('postgres', q{CREATE TABLE filler (f int) WITH (fillfactor = 10); INSERT INTO filler SELECT i FROM generate_series(1, 20000) i});
my ($index, $scan) = during_checkpoint($node, '');
is($index, $scan, 'a row whose page the running checkpoint has not written is found');
($index, $scan) = during_checkpoint($node, q{SET xtree.break_rule = 'checkpoint';});
isnt($index, $scan, 'it is not if the checkpoint is believed to be complete');

# A file that is cut: a fault, a retry through buffers, and their answer or their ERROR is the query's. The server lives.
sub cut
{
	my ($server) = @_;
	my $file = $server->data_dir . '/' . $server->safe_psql('postgres', q{SELECT pg_relation_filepath('t_x')});
	my $content = do { local (@ARGV, $/) = ($file); <> };
	truncate($file, 8192 * 2) or die "truncate: $!";
	return sub {
		open(my $handle, '+<:raw', $file) or die $!;
		print $handle $content;
		close $handle;
		is(by_index($server, ''), by_scan($server), 'a whole file again: the index answers');
	};
}
my $start = $node->safe_psql('postgres', 'SELECT pg_postmaster_start_time()');
fresh_table($node);
my $mend = cut($node);
my ($status, undef, $error) = $node->psql('postgres', "$by_index SELECT count(*) FROM t WHERE $everywhere");
is($status, 3, 'a page that is in no buffer and beyond the end of its file');
like($error, qr/index "\w+".*block \d+.*beyond the end of the file.*HINT:.*REINDEX/s, 'is an ERROR of the query');
cmp_ok(statistic($node, 'faults'), '>', 0, 'after a fault');
$mend->();
fresh_table($node);
is(by_index($node, 'SET xtree.use_mmap = off;'), by_scan($node), 'all pages are in shared buffers');
$mend = cut($node);
is(by_index($node, ''), by_scan($node), 'their pages beyond the end of a cut file come from there');
$mend->();
is($node->safe_psql('postgres', 'SELECT pg_postmaster_start_time()'), $start, 'the server has not restarted');
is($node->safe_psql('postgres', q{SELECT xtree_check('t_x', true)}), '', 'xtree_check');

# A streamed index: what a scan has read leaves the page cache behind it. (A page that is not on disk yet cannot.)
SKIP:
{
	my $data = $node->data_dir;
	skip 'pages of a tmpfs cannot leave memory', 2 if `stat -f -c %T $data` =~ /tmpfs/;
	my %resident;
	for my $strategy (qw(streamed paged))
	{
		$node->safe_psql('postgres', qq{
			DROP TABLE t;
			CREATE TABLE t (id int, p point);
			INSERT INTO t SELECT i, point(i % 1000, i / 1000) FROM generate_series(1, 100000) i;
			CREATE INDEX t_x ON t USING xtree (p) WITH (strategy = $strategy);
			CHECKPOINT});
		load($node);
		system_or_bail('sync', $node->data_dir . '/' . $node->safe_psql('postgres', q{SELECT pg_relation_filepath('t_x')}));
		by_index($node, '');
		$node->safe_psql('postgres', 'SELECT pg_sleep(0.3)');    # the worker measures
		$resident{$strategy} = statistic($node, 'resident_bytes::float8 / size');
	}
	cmp_ok($resident{streamed}, '<', 0.3, 'little of a streamed index stays in the page cache');
	cmp_ok($resident{paged}, '>', 0.8, 'a paged one stays');
	fresh_table($node);
}

# A database that is copied through shared buffers, or file by file.
for my $strategy (qw(wal_log file_copy))
{
	insert_one($node, '');
	$node->safe_psql('template1', "CREATE DATABASE copy_$strategy TEMPLATE postgres STRATEGY $strategy");
	my $query = "SELECT count(*), sum(id) FROM t WHERE $everywhere";
	$node->safe_psql("copy_$strategy", q{SELECT xtree_load('t_x')});
	is($node->safe_psql("copy_$strategy", "$by_index $query"), by_scan($node), "a database copied by $strategy answers");
	cmp_ok($node->safe_psql("copy_$strategy", q{SELECT mapped_reads FROM pg_stat_xtree_indexes WHERE indexrelname = 't_x'}), '>', 0, 'through the mapping');
}

# A standby reads through buffers; after its promotion it loads anew.
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
$node->safe_psql('postgres', q{INSERT INTO t SELECT i, point(i % 100 + 0.25, i / 100) FROM generate_series(1, 5000) i; UPDATE t SET p = point(p[0] + 0.01, p[1]) WHERE id % 3 = 0});
$node->wait_for_catchup($standby, 'replay', $node->lsn('insert'));
is(by_index($standby, ''), by_scan($standby), 'the standby answers');
is(statistic($standby, 'mapped_reads'), 0, 'through shared buffers');
$standby->promote;
load($standby);
($reads, $answer) = mapped_by($standby, '');
is($answer, by_scan($standby), 'the promoted server answers');
cmp_ok($reads, '>', 0, 'through the mapping');
is($standby->safe_psql('postgres', q{SELECT xtree_check('t_x', true)}), '', 'xtree_check');
$standby->stop;
$node->stop;
done_testing();
