# The planner looks at trees to count rows (xtree.estimate_rows): beside writers that split pages, VACUUM, evictions and REINDEX, on a standby, of an
# index that is damaged or cut short, and under statement_timeout. It is never an ERROR of EXPLAIN, leaves no pin behind (the server would warn),
# and what cannot be read is expected as PostgreSQL's own estimators do.
# Seen to fail: without the subtransaction (damaged pages); without the check of who may see all rows; without a look at what is in memory.
use strict;
use warnings;

use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('estimates');
$node->init(no_data_checksums => 1, allows_streaming => 1);
$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'xtree'
xtree.naptime = '200ms'
xtree.map_after = 0
autovacuum = off
log_min_messages = warning
CONF
$node->start;
my $rows = 60000;
my $window = q{SELECT FROM t WHERE p <@ box '(100,100),(400,900)'};
my $constant = $rows / 1000;

sub sql { return $node->safe_psql('postgres', $_[0]); }

# The rows expected, and what EXPLAIN says beside, which should be nothing.
sub expected
{
	my ($of, $query) = @_;
	my ($status, $out, $error) = $of->psql('postgres', "EXPLAIN $query");
	return ($out =~ /rows=(\d+)/ ? $1 : -1, $error);
}

sub is_near
{
	my ($of, $query, $truth, $name) = @_;
	my ($estimate, $error) = expected($of, $query);
	ok($estimate >= $truth / 1.3 && $estimate <= $truth * 1.3, "$name: $estimate rows are expected, $truth are there");
	is($error, '', "$name: nothing else is said");
	return;
}

sql("CREATE EXTENSION xtree; CREATE TABLE t (id int, p point); CREATE INDEX t_p ON t USING xtree (p);
	INSERT INTO t SELECT i, point(hashint4(i) % 1000, hashint4(-i) % 1000) FROM generate_series(1, $rows) i; VACUUM ANALYZE t");
my $truth = sql("SELECT count(*) FROM ($window) q");
is_near($node, $window, $truth, 'at rest');

# An index that is in memory costs less than one that nobody has loaded.
sub cost { my ($total) = sql("SET enable_seqscan = off; SET enable_bitmapscan = off; EXPLAIN $window") =~ /cost=[\d.]+\.\.([\d.]+)/; return $total; }
$node->restart;
my $cold = cost();
sql(q{SELECT xtree_load('t_p')});
ok($node->poll_query_until('postgres', q{SELECT resident_bytes >= size FROM pg_stat_xtree_indexes WHERE indexrelname = 't_p'}), 'all of the index is in memory');
my $pages = sql(q{SELECT relpages FROM pg_class WHERE relname = 't_p'});
cmp_ok($cold - cost(), '>', $pages / 4, "warm: cheaper than $cold");
sql(q{SELECT xtree_unload('t_p')});
is(cost(), $cold, 'let go of: as before');

# A standby.
$node->backup('copy');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'copy', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby);
is_near($standby, $window, $truth, 'on a standby');
$standby->stop;

# Beside everybody else. Rows come and go at the same places, so that the truth stays about the same.
my $plan = '$q$EXPLAIN ' . $window . '$q$';
my $loop = "DO \$\$ DECLARE r record; BEGIN FOR i IN 1 .. 2000 LOOP FOR r IN EXECUTE $plan LOOP END LOOP; COMMIT; END LOOP; END \$\$";
my ($out, $error) = ('', '');
my @psql = ('psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres'));
my $planner = IPC::Run::start([ @psql, '-c', $loop ], '<', \undef, '>', \$out, '2>', \$error);
for my $round (1 .. 6)
{
	sql('DO $$ BEGIN FOR i IN 1 .. 8 LOOP UPDATE t SET p = p WHERE id % 97 = i; COMMIT; END LOOP; END $$');
	sql($_) for 'VACUUM t', q{SELECT xtree_unload('t_p')}, $window, $round % 2 ? 'REINDEX INDEX CONCURRENTLY t_p' : 'REINDEX INDEX t_p';
}
ok($planner->finish, 'planning beside writers, VACUUM, evictions and REINDEX') or diag($error);
sql('VACUUM ANALYZE t');
is_near($node, $window, $truth, 'afterwards');
is(sql(q{SELECT xtree_check('t_p', true)}), '', 'the index is all right');

# Who must not see all rows is not told how many there are.
sql(q{CREATE ROLE reader; GRANT SELECT ON t TO reader; ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY few ON t USING (id < 100)});
my ($of_reader) = sql("SET ROLE reader; EXPLAIN $window") =~ /rows=(\d+)/;
cmp_ok($of_reader, '<=', $constant, 'under row-level security the constant holds');
sql('ALTER TABLE t DISABLE ROW LEVEL SECURITY');

# Damage. Only planning is asked: who scans gets the ERROR.
my $file = $node->data_dir . '/' . sql(q{SELECT pg_relation_filepath('t_p')});
my %block = map { split /\|/ } split /\n/, sql(q{SELECT level, min(block) FROM xtree_nodes('t_p') WHERE level < 2 GROUP BY 1});
sql('CHECKPOINT');
$node->stop;
my $intact = slurp_file($file);
sub put
{
	my ($content) = @_;
	open my $handle, '>:raw', $file or die $!;
	print $handle $content;
	close $handle;
	return;
}
my %damage = (
	'a root of zeroes' => sub { substr($_[0], 8192, 8192) = "\0" x 8192 },
	'a meta page of zeroes' => sub { substr($_[0], 0, 8192) = "\0" x 8192 },
	'a root of ones' => sub { substr($_[0], 8192 + 24, 8168) = "\xFF" x 8168 },
	'all leaves damaged' => sub { for my $at (2 .. length($_[0]) / 8192 - 1) { substr($_[0], $at * 8192 + 12, 6) = "\xFF" x 6 } },
	'a file cut short' => sub { $_[0] = substr($_[0], 0, 2 * 8192) },
	'no file content' => sub { $_[0] = '' });
for my $name (sort keys %damage)
{
	my $damaged = $intact;
	$damage{$name}->($damaged);
	put($damaged);
	$node->start;
	my ($estimate, $message) = expected($node, "$window AND id >= 0");
	cmp_ok($estimate, '<=', $constant, "$name: the constant");
	unlike($message, qr/ERROR/, "$name: no ERROR") or diag($message);
	$node->stop;
}
put($intact);
$node->start;
is_near($node, $window, $truth, 'repaired');
is(sql(q{SELECT xtree_check('t_p', true)}), '', 'the index is all right again');

# A cancel is one.
my $endless = "DO \$\$ DECLARE r record; BEGIN FOR i IN 1 .. 1000000 LOOP FOR r IN EXECUTE $plan LOOP END LOOP; END LOOP; END \$\$";
(undef, undef, $error) = $node->psql('postgres', "SET statement_timeout = '20ms'; $endless");
like($error, qr/statement timeout/, 'statement_timeout ends planning');
my $log = slurp_file($node->logfile);
unlike($log, qr/refcount leak|PANIC|TRAP|was terminated by signal|not released|reference leak/, 'nothing is left behind');
$node->stop;
done_testing();
