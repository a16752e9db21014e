# What the planner hears of a tree's height (IndexOptInfo.tree_height, PostgreSQL 18): the number of levels above the leaves once this session has looked at
# the index's meta page, else -1, and nothing is read for it, be the page damaged or the index not built.
# Seen to fail: with the number of levels in its place; with no function at all; with the meta page read for it.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use XtreeTest;

my $node = PostgreSQL::Test::Cluster->new('tree_height');
$node->init(extra => ['--data-checksums']);
$node->append_conf('postgresql.conf', 'autovacuum = off');
$node->start;
if ($node->pg_version < 18)
{
	$node->stop;
	plan skip_all => 'PostgreSQL 18 and newer ask for the height';
}
$node->safe_psql('postgres', 'CREATE EXTENSION xtree');
need_stop_points($node);
sub sql { return $node->safe_psql('postgres', $_[0]); }
sql(q{CREATE FUNCTION height(oid) RETURNS int AS 'xtree', 'xtree_planned_height' LANGUAGE C STRICT;
	CREATE TABLE t AS SELECT i AS id, point(i % 300, i / 300) AS p FROM generate_series(1, 90000) i;
	CREATE INDEX t_x ON t USING xtree (p); CREATE INDEX t_deferred ON t USING xtree (id) WITH (build = deferred);
	CREATE TABLE empty (p point); CREATE INDEX empty_x ON empty USING xtree (p); VACUUM ANALYZE t});
my $levels = sql(q{SELECT max(level) FROM xtree_index_info('t_x')});
cmp_ok($levels, '>=', 1, 'a tree with directory nodes');
my $plan = q{EXPLAIN SELECT * FROM t WHERE p <@ box '(0,0),(10,10)'};
my $heights = q{SELECT concat_ws('|', height('t_x'::regclass), height('t_deferred'::regclass), height('empty_x'::regclass))};
is(sql("LOAD 'xtree'; $heights"), '-1|-1|-1', 'a session that has not looked at them');
like(sql("$plan; $heights"), qr/^$levels\|-1\|-1$/m, 'after a plan with the index');
like(sql("SET enable_seqscan = off; SELECT count(*) FROM empty WHERE p <@ box '(0,0),(1,1)'; $heights"), qr/^-1\|-1\|0$/m, 'an empty tree has a root');
sql('CHECKPOINT');
my $file = $node->data_dir . '/' . sql(q{SELECT pg_relation_filepath('t_x')});
$node->stop;
open(my $handle, '+<:raw', $file) or die $!;
seek($handle, 100, 0);
print $handle 'damage';
close $handle;
$node->start;
is(sql("SELECT count(*) FROM t WHERE id < 10; $heights"), "9\n-1|-1|-1", 'a damaged meta page is nothing to a statement that does not ask for the index');
$node->stop;
done_testing();
