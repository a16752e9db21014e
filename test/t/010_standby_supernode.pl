# A reader on a standby holds a supernode's head while it reads its pages one by one, so replay must not move an entry from a page that it
# has read to one that it has not: every record that changes two pages of a supernode begins with its head. A reader is stopped before the
# root's last page while the primary inserts; it sees every row of its snapshot once, and replay has waited for it.
# Seen to fail: with records of two followers that leave out the head (rows are missing, and others seen twice).
use strict;
use warnings;

use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use XtreeTest;

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 1);
$primary->append_conf('postgresql.conf', "autovacuum = off\nmax_wal_size = 1GB\nwal_keep_size = 4GB\nmax_standby_streaming_delay = -1\n");
$primary->start;
$primary->safe_psql('postgres', 'CREATE EXTENSION xtree');
need_stop_points($primary);
my @columns = map { "c$_" } 1 .. 16;
my $list = join ', ', @columns;
# A curve that winds through all dimensions, where no split is free of overlap.
my $values = join ', ', map { "sin(r * 37 * $_)" } 1 .. 16;
my $rows = 0;

sub insert_more
{
	my ($more) = @_;
	my $from = $rows + 1;
	$rows += $more;
	return "INSERT INTO t (id, $list) SELECT i, $values FROM (SELECT i, i * 61803399::bigint % 100000007 / 1000000.0 AS r FROM generate_series($from, $rows) i) s ON CONFLICT DO NOTHING";  # one by one: in batches they make another tree
}

$primary->safe_psql('postgres', 'CREATE TABLE t (id int, ' . join(', ', map { "$_ float8" } @columns) . ');'
	. "CREATE INDEX t_xtree ON t USING xtree ($list) WITH (max_overlap = 0, min_fanout = 0.5, max_supernode_pages = 64);" . insert_more(12000));
$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;

sub session
{
	my %s = (in => '', out => '');
	$s{run} = IPC::Run::start([ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $standby->connstr('postgres') ], '<', \$s{in}, '>', \$s{out}, IPC::Run::timeout(180));
	return \%s;
}

# Gives back what the session printed before the mark.
sub ask
{
	my ($s, $sql, $mark) = @_;
	$s->{out} = '';
	$s->{in} .= "$sql;\n\\echo $mark\n";
	$s->{run}->pump until $s->{out} =~ /$mark/;
	return $s->{out};
}

my ($gate, $reader) = (session(), session());
$reader->{in} .= "LOAD 'xtree'; SET enable_seqscan = off; SET enable_bitmapscan = off;\n";
my $waited = 0;
foreach my $round (1 .. 8)
{
	$primary->wait_for_catchup($standby, 'replay', $primary->lsn('insert'));
	my $visible = $rows;
	my $pages = $standby->safe_psql('postgres', q{SELECT pages FROM xtree_nodes('t_xtree') WHERE block = 1});
	cmp_ok($pages, '>', 4, "round $round: the root has $pages pages");
	ask($gate, 'SELECT pg_advisory_lock(9)', 'closed');
	$reader->{out} = '';
	$reader->{in} .= sprintf "SET xtree.stop_point = 'read-follower+%d:wait:9';\nSELECT 'rows', count(*), count(DISTINCT id) FROM t WHERE c1 >= -1;\n", $pages - 2;
	$reader->{run}->pump_nb;
	$standby->poll_query_until('postgres', q{SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted}) or die 'the reader does not wait';
	$primary->safe_psql('postgres', insert_more(400));
	my $lsn = $primary->lsn('insert');
	$standby->poll_query_until('postgres', qq{SELECT pg_last_wal_replay_lsn() >= '$lsn' OR EXISTS (SELECT FROM pg_stat_activity
		WHERE backend_type = 'startup' AND wait_event IN ('BufferContent', 'BufferExclusive'))}) or die 'replay neither waits nor ends';
	$waited++ if $standby->safe_psql('postgres', "SELECT pg_last_wal_replay_lsn() < '$lsn'") eq 't';
	ask($gate, 'SELECT pg_advisory_unlock(9)', 'opened');
	$reader->{run}->pump until $reader->{out} =~ /rows\|(\d+)\|(\d+)\n/;
	my ($seen, $different) = $reader->{out} =~ /rows\|(\d+)\|(\d+)/;
	is("$seen $different", "$visible $visible", "round $round: the reader sees every row once");
}
cmp_ok($waited, '>', 0, "replay waited for the reader in $waited rounds");
$_->{in} .= "\\q\n", $_->{run}->finish for $gate, $reader;
$primary->wait_for_catchup($standby, 'replay', $primary->lsn('insert'));
is($standby->safe_psql('postgres', q{SELECT xtree_check('t_xtree', true)}), '', 'xtree_check on the standby');
$standby->stop;
$primary->stop;
done_testing();
