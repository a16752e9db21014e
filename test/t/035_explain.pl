# EXPLAIN (XTREE) where it needs a server of its own: before and after the library is loaded, through mappings, with workers, beside other
# extensions of EXPLAIN, on a damaged index, and without a trace in other statements. What it counts: test/regress/sql/explain.sql.
# Seen to fail: with workers that report nothing, with reports of a failed statement kept, with counts lost that a rescan hands in, and with the other
# extension's hook not called.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('explain');
plan skip_all => 'PostgreSQL before 18 has no options of extensions' if $node->pg_version < 18;
$node->init(no_data_checksums => 1);
$node->append_conf('postgresql.conf', "autovacuum = off\nmax_parallel_workers_per_gather = 2\njit = off\n");
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION xtree;
	CREATE TABLE t (id int, p point);
	INSERT INTO t SELECT i, point(i % 200, i / 200) FROM generate_series(0, 19999) i;
	CREATE INDEX t_x ON t USING xtree (p);
	CREATE TABLE o AS SELECT i AS id, box(point(i, i), point(i + 1, i + 1)) AS b FROM generate_series(1, 40) i;
	ALTER TABLE o SET (parallel_workers = 2);
	VACUUM ANALYZE;
	CHECKPOINT});
my $window = q{SELECT id FROM t WHERE p <@ box '(-1,-1),(300,300)'};
my $settings = 'SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_indexonlyscan = off; SET xtree.enable_lookup_join = off;';
my $parallel = "$settings SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET parallel_leader_participation = off;
	SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_material = off;";
my $join = 'SELECT count(i.id) FROM o, t i WHERE i.p <@ o.b';

sub plan_of { my ($options, $query, $before) = @_; return $node->safe_psql('postgres', ($before // $settings) . "EXPLAIN ($options) $query"); }

# Without preloading, the option comes with the library.
my (undef, undef, $error) = $node->psql('postgres', "EXPLAIN (XTREE) $window");
like($error, qr/unrecognized EXPLAIN option "xtree"/, 'a session that has not loaded the library does not know the option');
like(plan_of('XTREE', $window, "LOAD 'xtree'; $settings"), qr/XTree: dimensions=2 height=2 mapping=none \(xtree is not preloaded\)$/m, 'but once it is loaded');
like($node->safe_psql('postgres', "$settings EXPLAIN $window; EXPLAIN (XTREE) $window"), qr/XTree: /, 'as it is by the first plan with an xtree index');
like(plan_of('ANALYZE, XTREE', $join, "LOAD 'xtree'; $parallel"), qr/Workers Launched: [12].*Index Searches: 40\n.*, entries tested=\d+ matched=160$/sm, 'workers report without preloading');

# With it.
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'xtree'\nxtree.naptime = '100ms'\nxtree.map_after = 0\nxtree.idle_timeout = 0\n");
$node->restart;
like(plan_of('XTREE', $window), qr/mapping=registered$/m, 'an index that nobody has used');
is($node->safe_psql('postgres', q{SELECT count(*) FROM xtree_stat_indexes()}), 0, 'EXPLAIN has not made it used');
$node->safe_psql('postgres', q{SELECT xtree_load('t_x')});
my $pages = $node->safe_psql('postgres', q{SELECT sum(pages) FROM xtree_index_info('t_x')});
like(plan_of('XTREE', $window), qr/mapping=loaded( resident=\d+kB)?$/m, 'one that is loaded');
$node->poll_query_until('postgres', q{SELECT resident_bytes > 0 FROM pg_stat_xtree_indexes WHERE indexrelname = 't_x'}) or die 'not measured';
like(plan_of('XTREE', $window), qr/mapping=loaded resident=\d+kB$/m, 'and measured');
my $mapped = plan_of('ANALYZE, XTREE', $window);
like($mapped, qr/XTree Pages: mapped=$pages buffers=0( absent=\d+)?( prefetched=\d+)?$/m, 'all of its pages come through the mapping');
unlike($mapped, qr/retries|faults/, 'no page was in doubt');
like(plan_of('ANALYZE, XTREE', $window, "SET xtree.use_mmap = off; $settings"), qr/mapping=none \(xtree.use_mmap is off\).*XTree Pages: mapped=0 buffers=$pages\b/s, 'or through buffers');
like(plan_of('ANALYZE, XTREE', $window, "SET default_transaction_isolation = serializable; $settings"), qr/mapping=none \(SERIALIZABLE\).*XTree Pages: mapped=0 buffers=$pages\b/s, 'SERIALIZABLE');
like(plan_of('ANALYZE, XTREE', 'SELECT p FROM t WHERE p <@ box \'(-1,-1),(300,300)\'', 'SET enable_seqscan = off; SET enable_bitmapscan = off;'),
	qr/mapping=none \(index-only scan\).*XTree Pages: mapped=0 buffers=$pages\b/s, 'an index-only scan');
# docs/tuning.md has every property. Those that this plan has not are in the table too.
my $table = join '', slurp_file("$ENV{XTREE_SOURCE}/docs/tuning.md") =~ /^\|.*\|$/mg;
my $group = $node->safe_psql('postgres', "$settings EXPLAIN (ANALYZE, XTREE, FORMAT JSON) $window") =~ /"XTree": \{(.*?)\}/s ? $1 : '';
my @properties = $group =~ /"([^"]+)":/g;
cmp_ok(scalar @properties, '>=', 18, 'the group has properties');
is(join(', ', grep { index($table, "`$_`") < 0 } @properties), '', 'all of them documented');
# Rescans: what is in the shared statistics is in the plan.
my $before = $node->safe_psql('postgres', q{SELECT mapped_reads + buffer_reads FROM pg_stat_xtree_indexes WHERE indexrelname = 't_x'});
my $joined = plan_of('ANALYZE, XTREE', $join, "SET max_parallel_workers_per_gather = 0; $parallel");
my ($nodes, $through, $buffers) = $joined =~ /visited=(\d+).*mapped=(\d+) buffers=(\d+)/s;
is($through + $buffers, $nodes, 'a page a node');
cmp_ok($nodes, '>=', 80, 'of 40 searches');
is($node->safe_psql('postgres', q{SELECT mapped_reads + buffer_reads FROM pg_stat_xtree_indexes WHERE indexrelname = 't_x'}) - $before, $nodes, 'as many as in the view');
like(plan_of('ANALYZE, XTREE', $join, $parallel), qr/Workers Launched: [12].*XTree Nodes: visited=$nodes leaves=.*mapped=$nodes buffers=0/s, 'workers visit as many');

like(plan_of('ANALYZE, XTREE', $join, "SET xtree.use_mmap = off; SET max_parallel_workers_per_gather = 0; $parallel"), qr/mapped=0 buffers=$nodes$/m,
	'nor does it lose those that were handed in for a new use');

# Vectors in clusters: a search is approximate where its settings and its order make it so; within a distance it is exact whatever they are.
$node->safe_psql('postgres', q{
	CREATE TABLE n (id int, v real[]);
	INSERT INTO n SELECT i, (SELECT array_agg((sin((i % 20) * 12.9 + d * 78.2) + 0.3 * sin(i * 3.7 + d))::real ORDER BY d) FROM generate_series(1, 32) d) FROM generate_series(1, 3000) i;
	CREATE INDEX n_v ON n USING xtree (v) WITH (clusters = 20);
	VACUUM ANALYZE n});
my $nearest = 'SELECT id FROM n ORDER BY v <-> array_fill(0.1::real, ARRAY[32]) LIMIT 5';
my $within = 'SELECT id FROM n WHERE v <-> array_fill(0.1::real, ARRAY[32]) < 4.2';
my $ordered = "$settings SET enable_sort = off;";
like(plan_of('ANALYZE, XTREE', $nearest, $ordered), qr/XTree Clusters: visited=20 of=20 codes=\d+, exact$/m, 'an exact search of clusters');
like(plan_of('ANALYZE, XTREE', $nearest, "SET xtree.probes = 3; $ordered"), qr/XTree Clusters: visited=3 of=20 codes=\d+, approximate$/m, 'an approximate one');
like(plan_of('ANALYZE, XTREE', $within, "SET xtree.probes = 3; $ordered"), qr/XTree Clusters: visited=20 of=20 codes=\d+, exact$/m, 'within a distance, whatever the settings are');
like($node->safe_psql('postgres', "SET xtree.probes = 3; $ordered EXPLAIN (ANALYZE, XTREE, FORMAT JSON) $nearest"), qr/"Search": "approximate"/, 'as a property');
$node->safe_psql('postgres', q{SELECT xtree_check('n_v', true)});

# The same query twice in one session, the first time not printed, because the leader fails after its workers: nothing of it is left for the second.
my $twice = "SELECT CASE WHEN pg_sleep(0.5) IS NOT NULL THEN 1 / (n - (SELECT v FROM s)) END FROM (SELECT count(i.id) AS n FROM o, t i WHERE i.p <@ o.b) q";
$node->safe_psql('postgres', 'CREATE TABLE s AS SELECT 160 AS v; ANALYZE s');
my ($code, $out, $failure) = $node->psql('postgres', "$parallel
	EXPLAIN (ANALYZE, XTREE) $twice;
	UPDATE s SET v = -1;
	EXPLAIN (ANALYZE, XTREE) $twice;", on_error_stop => 0);
like($failure, qr/division by zero/, 'a query fails');
like($out, qr/Index Searches: 40\n.*XTree Nodes: visited=$nodes .* matched=160$/sm, 'and is counted anew');

# Others that add to EXPLAIN, loaded before and after.
SKIP:
{
	skip 'contrib is not installed', 3 if !eval { $node->safe_psql('postgres', q{LOAD 'pg_overexplain'; LOAD 'auto_explain'}); 1 };
	like(plan_of('ANALYZE, XTREE, DEBUG', $window, "LOAD 'pg_overexplain'; $settings"), qr/XTree Pages: .*Plan Node ID: 0|Plan Node ID: 0.*XTree Pages: /s, 'beside pg_overexplain');
	$node->append_conf('postgresql.conf', "shared_preload_libraries = 'pg_overexplain, xtree, auto_explain'\n");
	$node->restart;
	like(plan_of('ANALYZE, XTREE, DEBUG', $window), qr/XTree Pages: .*Plan Node ID: 0|Plan Node ID: 0.*XTree Pages: /s, 'in the other order');
	$node->safe_psql('postgres', "SET auto_explain.log_min_duration = 0; SET auto_explain.log_analyze = on; SET auto_explain.log_nested_statements = on; $parallel; $join;
		EXPLAIN (ANALYZE, XTREE) $join");
	my $log = slurp_file($node->logfile);
	like($log, qr/plan:\n.*Index Scan using t_x/s, 'auto_explain logs plans');
	unlike($log, qr/XTree/, 'and did not ask');
}

# Damage: a plan can be looked at, and says what it would come to; whoever runs it gets the ERROR.
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'xtree'\n");
my $file = $node->data_dir . '/' . $node->safe_psql('postgres', q{SELECT pg_relation_filepath('t_x')});

sub damage
{
	my ($block, $offset) = @_;
	$node->stop;
	open my $handle, '+<:raw', $file or die $!;
	seek $handle, $block * 8192 + $offset, 0;
	print $handle "\xFF\xFF";
	close $handle;
	$node->start;
}
damage(1, 8168 + 16);
my $damaged = plan_of('XTREE', $window);
like($damaged, qr/XTree: dimensions=2 mapping=\w+( resident=\d+kB)?$/m, 'of a damaged root nothing is said');
(undef, undef, $error) = $node->psql('postgres', "$settings EXPLAIN (ANALYZE, XTREE) $window");
like($error, qr/ERROR:  index "t_x" contains a damaged page at block 1/, 'it is an ERROR for the scan');
damage(0, 24 + 6);
like(plan_of('XTREE', $window), qr/XTree: unreadable meta page, dimensions=2 mapping=\w+( resident=\d+kB)?$/m, 'a damaged meta page');
$node->safe_psql('postgres', 'REINDEX INDEX t_x');
like(plan_of('ANALYZE, XTREE', $window), qr/XTree: dimensions=2 height=2 mapping=.*matched=20000$/ms, 'repaired');

$node->stop;
done_testing();
