# A backend is killed at every step of an insert, a split, a supernode's growth and a VACUUM (stop points). After each recovery the tree's
# invariants hold, every row is in the index exactly once (xtree_check with the heap), the index answers as a sequential scan does, and
# no acknowledged row is missing. Sixteen columns make directory nodes of few entries, and max_overlap = 0 with min_fanout = 0.5 makes supernodes of them.
# No crash can be placed within a change, so that each split is one record is read from the log.
# Seen to fail: with a page of each split missing from its record (recovery fails); with each page logged by a record of its own.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use XtreeTest;

my $node = PostgreSQL::Test::Cluster->new('crash');
$node->init;
$node->append_conf('postgresql.conf', <<'CONF');
restart_after_crash = on
autovacuum = off
wal_consistency_checking = all
max_wal_size = 1GB
CONF
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION xtree');
need_stop_points($node);

my @columns = map { "c$_" } 1 .. 16;
my $values = join ', ', map { 'random()' } @columns;
$node->safe_psql('postgres', 'CREATE TABLE t (id serial, ' . join(', ', map { "$_ float8" } @columns) . ')');
$node->safe_psql('postgres', 'CREATE INDEX t_xtree ON t USING xtree (' . join(', ', @columns) . ') WITH (max_overlap = 0, min_fanout = 0.5, max_supernode_pages = 6)');

my $acknowledged = 0;
my $log_offset = 0;

# Runs statements in one session, each a transaction, until the stop point kills it. Returns how many were acknowledged.
sub run_until_killed
{
	my ($point, @statements) = @_;
	my $script = "SET xtree.stop_point = '$point:crash';\n" . join '', map { "$_;\n\\echo done\n" } @statements;
	$log_offset = -s $node->logfile;
	my $file = $node->basedir . '/script.sql';  # not through a pipe, which breaks when psql loses its server
	append_to_file($file, $script);
	my ($status, $out, $error) = $node->psql('postgres', "\\i $file", on_error_stop => 1);
	unlink $file;
	my $done = () = $out =~ /^done$/mg;
	return ($status != 0 && $error =~ /connection|terminat/ ? 1 : 0, $done);
}

sub check_recovered
{
	my ($what, $was_killed) = @_;
	# the server notices a moment after the client does
	$node->wait_for_log(qr/ready to accept connections/, $log_offset) if $was_killed;
	$node->poll_query_until('postgres', 'SELECT true') or die 'no recovery';
	my $result = $node->safe_psql('postgres', q{
		SELECT xtree_check('t_xtree', true);
		SET enable_seqscan = off;
		SELECT count(*) FROM t WHERE c1 BETWEEN 0.2 AND 0.7 AND c16 < 0.6;
		SET enable_seqscan = on; SET enable_indexscan = off; SET enable_bitmapscan = off; SET enable_indexonlyscan = off;
		SELECT count(*) FROM t WHERE c1 BETWEEN 0.2 AND 0.7 AND c16 < 0.6;
		SELECT count(*) FROM t});
	my ($by_index, $by_scan, $rows) = $result =~ /(\d+)/g;
	is($by_index, $by_scan, "$what: the index answers as the table does");
	cmp_ok($rows, '>=', $acknowledged, "$what: no acknowledged row is missing");
	$acknowledged = $rows;
}

my $insert = 'INSERT INTO t (' . join(', ', @columns) . ") SELECT $values FROM generate_series(1, 25)";

foreach my $point (
	'insert-before-leaf', 'insert-after-leaf+7', 'insert-before-grow-box', 'insert-after-grow-box+5',
	'root-split-before-commit', 'root-split-after-commit', 'split-before-commit', 'split-before-commit+9', 'split-after-commit+3',
	'supernode-before-commit', 'supernode-after-commit', 'supernode-before-commit+2', 'commit-before-wal+40', 'commit-after-wal+40',
	'split-after-follower', 'split-after-follower+1', 'split-after-free', 'split-after-free+1')
{
	my ($killed, $done) = run_until_killed($point, ($insert) x 3000);
	$acknowledged += 25 * $done;
	ok($killed, "killed at $point after $done statements");
	check_recovered($point, 1) if $killed;
}

foreach my $point ('vacuum-before-remove', 'vacuum-after-remove+4', 'vacuum-before-unlink', 'vacuum-after-unlink+1')
{
	my $low = { 'vacuum-before-remove' => 0.00, 'vacuum-after-remove+4' => 0.02, 'vacuum-before-unlink' => 0.04, 'vacuum-after-unlink+1' => 0.06 }->{$point};
	# whole leaves become empty only where a range of one column of the split history goes: delete most rows
	$node->safe_psql('postgres', "DELETE FROM t WHERE id % 10 <> " . int($low * 100));
	$node->safe_psql('postgres', $insert) for 1 .. 40;
	$acknowledged = $node->safe_psql('postgres', 'SELECT count(*) FROM t');
	my ($killed, undef) = run_until_killed($point, 'VACUUM t');
	ok($killed, "killed at $point");
	check_recovered($point, 1) if $killed;
}

$node->safe_psql('postgres', 'VACUUM t');
check_recovered('after VACUUM');
$node->safe_psql('postgres', 'DELETE FROM t; VACUUM t; VACUUM t');
$acknowledged = 0;
check_recovered('after everything was deleted');
is($node->safe_psql('postgres', q{SELECT count(*) > 0 FROM xtree_nodes('t_xtree')}), 't', 'the empty tree can be walked');
$node->safe_psql('postgres', $insert) for 1 .. 50;
check_recovered('after it was filled again');

# A split adds one node, that of the root two, and a record of three pages.
my $nodes = q{SELECT count(*) FROM xtree_nodes('t_xtree')};
my ($before, $from) = ($node->safe_psql('postgres', $nodes), $node->lsn('insert'));
$node->safe_psql('postgres', $insert) for 1 .. 40;
my $added = $node->safe_psql('postgres', $nodes) - $before;
my $to = $node->lsn('flush');
my ($log) = run_command([ 'pg_waldump', '-p', $node->data_dir . '/pg_wal', '-r', 'Generic', '-s', $from, '-e', $to ]);
my $of_three_pages = () = $log =~ /blkref #2/g;
cmp_ok($added, '>', 5, "$added nodes were added");
cmp_ok($of_three_pages, '>=', $added - 1, "by $of_three_pages records of three pages");

$node->stop;
done_testing();
