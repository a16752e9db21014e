# What the access method caches about an index goes away whenever the relation cache is told that the index changed, also in the midst of
# planning, of a scan, an insert and a build. Here functions that queries call change the indexes' rows in pg_index, and the C library fills
# freed memory (MALLOC_PERTURB_), so that whoever still uses it does not go unnoticed.
# Seen to fail: with the cached state itself used instead of a copy, each by itself, in cost estimation (other costs), scans, inserts and
# builds (crashes).
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

$ENV{MALLOC_PERTURB_} = 170;
my $node = PostgreSQL::Test::Cluster->new('cached_state');
$node->init;
$node->append_conf('postgresql.conf', "autovacuum = off\nrestart_after_crash = on\n");
$node->start;
# invalidate() may not be STABLE, since it writes, nor any other than STABLE be called by the planner's estimates.
$node->safe_psql('postgres', q{
	CREATE EXTENSION xtree;
	CREATE TABLE t (a int, b int, c float8, p point);
	INSERT INTO t SELECT i % 100, i % 101, i, point(i % 103, i % 107) FROM generate_series(1, 3000) i;
	CREATE INDEX t_all ON t USING xtree (a, b, c, p);
	ANALYZE t;
	CREATE TABLE calls (n int);
	CREATE FUNCTION invalidate() RETURNS int VOLATILE LANGUAGE plpgsql AS $$
	BEGIN
	  UPDATE pg_index SET indisclustered = indisclustered WHERE indrelid = 'public.t'::regclass;
	  INSERT INTO public.calls VALUES (1);
	  RETURN 7;
	END $$;
	CREATE FUNCTION seven() RETURNS int STABLE COST 0.00001 LANGUAGE plpgsql AS 'BEGIN RETURN public.invalidate(); END'});

# Estimates of join conditions are made anew within each estimate of an index scan's cost, and call stable functions.
sub cost_of
{
	my ($condition) = @_;
	return $node->safe_psql('postgres', "SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off;
		EXPLAIN SELECT t.c FROM (SELECT generate_series(1, 3) AS x) u, t WHERE $condition") =~ /Index.*Scan using t_all.*\((cost=\S+ rows=\d+)/ ? $1 : undef;
}

foreach my $condition ('t.a = u.x + %s AND t.b = 7', 't.a < u.x + %s AND t.b BETWEEN 3 AND u.x + %s', 't.b = u.x + %s AND t.a < u.x + %s AND t.c < 500')
{
	(my $quiet = $condition) =~ s/%s/7/g;
	(my $loud = $condition) =~ s/%s/seven()/g;
	my $expected = cost_of($quiet);
	ok($expected, "$quiet: by the index");
	$node->safe_psql('postgres', 'TRUNCATE calls');
	is(cost_of($loud), $expected, "$loud: planned as without an invalidation");
	cmp_ok($node->safe_psql('postgres', 'SELECT count(*) FROM calls'), '>', 0, "$loud: the planner called the function");
}

my $answer = 'SELECT count(*), sum(c) FROM t WHERE p <@ box ' . "'(10,10),(60,60)'";
my $expected = $node->safe_psql('postgres', "SET enable_indexscan = off; SET enable_indexonlyscan = off; SET enable_bitmapscan = off; $answer");
foreach my $kind ('enable_bitmapscan', 'enable_indexscan')
{
	is($node->safe_psql('postgres', qq{
		SET enable_seqscan = off; SET $kind = off; SET enable_indexonlyscan = off;
		SELECT count(*), sum(c) FROM (SELECT c, invalidate() FROM t WHERE p <@ box '(10,10),(60,60)' OFFSET 0) s}),
		$expected, "a scan goes on after invalidations ($kind = off)");
}
is($node->safe_psql('postgres', q{
	SET enable_seqscan = off;
	SELECT count(*) FROM (SELECT c FROM t WHERE invalidate() = 7 ORDER BY p <-> point '(3,3)' LIMIT 50) s}),
	50, 'so does an ordered one');
is($node->safe_psql('postgres', q{
	SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_material = off; SET enable_memoize = off;
	SELECT count(*) FROM generate_series(1, 20) g, LATERAL (SELECT c, invalidate() FROM t WHERE a = g AND b = g OFFSET 0) s}),
	$node->safe_psql('postgres', 'SELECT count(*) FROM generate_series(1, 20) g, t WHERE a = g AND b = g'), 'and one that begins again and again');

$node->safe_psql('postgres', 'INSERT INTO t SELECT i, invalidate(), i, point(i, i) FROM generate_series(1, 500) i');
is($node->safe_psql('postgres', q{SELECT xtree_check('t_all', true)}), '', 'inserts among invalidations');
$node->safe_psql('postgres', q{
	CREATE FUNCTION same(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS 'BEGIN PERFORM public.invalidate(); RETURN $1; END';
	CREATE INDEX t_same ON t USING xtree (same(a), b, p)});
is($node->safe_psql('postgres', q{SELECT xtree_check('t_same', true)}), '', 'a build among invalidations');

$node->stop;
done_testing();
