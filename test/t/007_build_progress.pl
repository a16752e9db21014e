# pg_stat_progress_create_index while a build stands still (stop points): the name of every phase, and the counts that belong to it and no
# other. In memory, through temporary files, in parallel workers, for partitions, and concurrently.
# Seen to fail: with progress reported before the rows of the page just written were counted (every count at the end is too low).
use strict;
use warnings;

use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use XtreeTest;

my $node = PostgreSQL::Test::Cluster->new('progress');
$node->init;
$node->append_conf('postgresql.conf', <<'CONF');
autovacuum = off
synchronize_seqscans = off
max_parallel_maintenance_workers = 2
statement_timeout = '180s'
CONF
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION xtree');
need_stop_points($node);

my $rows = 100_000;
$node->safe_psql('postgres', qq{
	CREATE TABLE t (id int, p point);
	INSERT INTO t SELECT i, point(i % 311, i % 317) FROM generate_series(1, $rows) i;
	CREATE TABLE parts (id int, p point) PARTITION BY RANGE (id);
	CREATE TABLE part1 PARTITION OF parts FOR VALUES FROM (0) TO (10);
	CREATE TABLE part2 PARTITION OF parts FOR VALUES FROM (10) TO (20);
	CREATE TABLE part3 PARTITION OF parts FOR VALUES FROM (20) TO (30);
	INSERT INTO parts SELECT i, point(i, i) FROM generate_series(0, 29) i});
my $blocks = $node->safe_psql('postgres', q{SELECT pg_relation_size('t') / 8192});

my $statement = 'CREATE INDEX t_p ON t USING xtree (p)';

# What the view shows of a build that waits at the stop point.
sub progress_at
{
	my ($point, $settings, $command) = @_;
	my ($in, $out, $error) = ('', '', '');
	my $holder = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres') ], '<', \$in, '>', \$out, '2>', \$error);
	$in .= "SELECT pg_advisory_lock(5);\n\\echo locked\n";
	$holder->pump until $out =~ /locked/;
	my ($output, $failure) = ('', '');
	my $builder = IPC::Run::start([ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres'), '-c', "SET xtree.stop_point = '$point:wait:5'",
			(map { ('-c', "SET $_") } @$settings), '-c', $command ], '<', \undef, '>', \$output, '2>', \$failure);
	$node->poll_query_until('postgres', q{SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted}) or die "no build waits at $point";
	my %shown;
	@shown{qw(command phase blocks_total blocks_done tuples_total tuples_done partitions_total partitions_done)} = split /\|/, $node->safe_psql('postgres',
		q{SELECT command, phase, blocks_total, blocks_done, tuples_total, tuples_done, partitions_total, partitions_done FROM pg_stat_progress_create_index});
	$in .= "\\q\n";
	$holder->finish;
	$builder->finish;
	is($failure, '', "the build goes on after $point");
	$node->safe_psql('postgres', 'DROP INDEX IF EXISTS t_p, parts_p');
	return \%shown;
}

sub counts { return join ' ', map { "$_[0]{$_ . '_done'}/$_[0]{$_ . '_total'}" } qw(blocks tuples) }

sub shows
{
	my ($what, $shown, $phase, $counts) = @_;
	is($shown->{phase}, "building index: $phase", "$what: phase");
	is(counts($shown), $counts, "$what: counts");
}

# The tree is built: some rows are, those of the pages written so far.
sub shows_part_of_tree
{
	my ($what, $shown) = @_;
	is($shown->{phase}, 'building index: building tree', "$what: phase");
	is("$shown->{blocks_done}/$shown->{blocks_total} $shown->{tuples_total}", "0/0 $rows", "$what: totals");
	cmp_ok($shown->{tuples_done}, '>', 0, "$what: some rows are done");
	cmp_ok($shown->{tuples_done}, '<', $rows, "$what: not all are");
}

my $serial = ['max_parallel_maintenance_workers = 0'];
shows('before the scan', progress_at('build-begin', $serial, $statement), 'initializing', '0/0 0/0');
my $at = 40_000;
my ($block) = $node->safe_psql('postgres', "SELECT ctid FROM t OFFSET $at LIMIT 1") =~ /\((\d+),/;
shows('scan', progress_at("build-row+$at", $serial, $statement), 'scanning table', "$block/$blocks 0/0");
shows('no page yet', progress_at('build-tree', $serial, $statement), 'building tree', "0/0 0/$rows");
my $one = progress_at('build-tree+1', $serial, $statement);
shows_part_of_tree('one page', $one);
cmp_ok($one->{tuples_done}, '<', 1000, 'one page: as many rows as one page holds');
shows_part_of_tree('200 pages', my $more = progress_at('build-tree+200', $serial, $statement));
cmp_ok($more->{tuples_done}, '>', 100 * $one->{tuples_done}, '200 pages: as many rows');
shows('end', progress_at('build-meta', $serial, $statement), 'writing meta page', "0/0 $rows/$rows");

my $external = [ @$serial, q{maintenance_work_mem = '1MB'} ];
shows('through files, scan', progress_at("build-row+$at", $external, $statement), 'scanning table', "$block/$blocks 0/0");
shows('through files, nothing distributed', progress_at('build-distribute', $external, $statement), 'distributing rows to parts', "0/0 0/$rows");
shows('through files, part distributed', progress_at('build-distribute+3', $external, $statement), 'distributing rows to parts', '0/0 ' . 3 * 4096 . "/$rows");
shows('through files, all distributed', progress_at('build-distribute+' . (1 + int($rows / 4096)), $external, $statement), 'distributing rows to parts', "0/0 $rows/$rows");
shows('through files, no page yet', progress_at('build-tree', $external, $statement), 'building tree', "0/0 0/$rows");
shows_part_of_tree('through files, 100 pages', progress_at('build-tree+100', $external, $statement));
shows('through files, end', progress_at('build-meta', $external, $statement), 'writing meta page', "0/0 $rows/$rows");

# Of all processes, as the leader knows when it reports.
$node->safe_psql('postgres', 'ALTER TABLE t SET (parallel_workers = 2)');
my $together = [q{maintenance_work_mem = '3MB'}];
shows('parallel, before the scan', progress_at('build-leader-begin', $together, $statement), 'initializing', '0/0 0/0');
shows('parallel, after the scan', progress_at('build-leader-scanned', $together, $statement), 'scanning table', "$blocks/$blocks 0/0");
my $distributing = progress_at('build-distribute', $together, $statement);
is($distributing->{phase}, 'building index: distributing rows to parts', 'parallel, distribution: phase');
is("$distributing->{blocks_total} $distributing->{tuples_total}", "0 $rows", 'parallel, distribution: the rows of all processes are counted');
my $building = progress_at('build-tree', $together, $statement);
is($building->{phase}, 'building index: building tree', 'parallel, tree: phase');
is("$building->{blocks_total} $building->{tuples_total}", "0 $rows", 'parallel, tree: the rows of all processes are counted');
shows('parallel, end', progress_at('build-meta', $together, $statement), 'writing meta page', "0/0 $rows/$rows");

my $partitioned = progress_at('build-meta+1', $serial, 'CREATE INDEX parts_p ON parts USING xtree (p)');
is("$partitioned->{partitions_done}/$partitioned->{partitions_total}", '1/3', 'partitions are counted');
shows('the second of three partitions', $partitioned, 'writing meta page', '0/0 10/10');

my $concurrent = progress_at('build-meta', $serial, 'CREATE INDEX CONCURRENTLY t_p ON t USING xtree (p)');
is($concurrent->{command}, 'CREATE INDEX CONCURRENTLY', 'concurrently');
shows('concurrently, end', $concurrent, 'writing meta page', "0/0 $rows/$rows");

$node->stop;
done_testing();
