# btree_gist and xtree in one database: whichever comes first, in one schema or in two, nothing clashes, one operator serves indexes
# of both, and a dump restores all of it.
# Seen to fail: with operators <-> of xtree's own (CREATE EXTENSION fails), and without the entries in pg_depend (a dropped extension
# leaves its members behind, and cannot be created again).
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('btree_gist');
$node->init;
$node->start;

my $table = q{
	CREATE TABLE t (gist int, xtree int);
	INSERT INTO t SELECT i * 7919 % 1000, i * 7919 % 1000 FROM generate_series(1, 1000) i;
	CREATE INDEX t_gist ON t USING gist (gist);
	CREATE INDEX t_xtree ON t USING xtree (xtree);
	ANALYZE t};

# Is a search by distance served by the index on this column, which has the name of its access method?
sub served
{
	my ($database, $column, $path) = @_;
	my $plan = $node->safe_psql($database, "SET search_path = $path; SET enable_seqscan = off; SET enable_bitmapscan = off;
		EXPLAIN (COSTS OFF) SELECT * FROM t ORDER BY $column <-> 500 LIMIT 3");
	return $plan =~ /using t_$column on t.*Order By: .$column .*<->.* 500/s;
}

sub check
{
	my ($database, $name, $path) = @_;
	ok(served($database, 'gist',  $path), "$name: an index of GiST serves <->");
	ok(served($database, 'xtree', $path), "$name: so does one of xtree");
	my $rows = "SET search_path = $path; SELECT xtree <-> 500 FROM t ORDER BY xtree <-> 500 LIMIT 5";
	is($node->safe_psql($database, $rows), "0\n1\n1\n2\n2", "$name: the nearest come first");
}

my @orders = (
	[ 'btree_gist first', [ 'btree_gist', 'xtree', 'xtree_btree_gist' ], 'public' ],
	[ 'xtree first',      [ 'xtree', 'btree_gist', 'xtree_btree_gist' ], 'public' ],
	[ 'cascade',          ['xtree_btree_gist CASCADE'],                  'public' ],
	[ 'two schemas', [ 'btree_gist SCHEMA a', 'xtree SCHEMA b', 'xtree_btree_gist' ], 'public, a' ],
);
for my $i (0 .. $#orders)
{
	my ($name, $extensions, $path) = @{ $orders[$i] };
	$node->safe_psql('postgres', "CREATE DATABASE d$i");
	$node->safe_psql("d$i", 'CREATE SCHEMA a; CREATE SCHEMA b');
	$node->safe_psql("d$i", "CREATE EXTENSION $_") for @$extensions;
	$node->safe_psql("d$i", $table);
	check("d$i", $name, $path);

	$node->command_ok([ 'pg_dump', '-Fc', '-f', "$PostgreSQL::Test::Utils::tmp_check/d$i.dump", '-d', $node->connstr("d$i") ],
		"$name: dumped");
	$node->safe_psql('postgres', "CREATE DATABASE r$i");
	$node->command_ok([ 'pg_restore', '--exit-on-error', '-d', $node->connstr("r$i"), "$PostgreSQL::Test::Utils::tmp_check/d$i.dump" ],
		"$name: restored");
	check("r$i", "$name, restored", $path);
}

# The extension may go and come again; indexes stay.
$node->safe_psql('d0', 'DROP EXTENSION xtree_btree_gist');
ok(served('d0', 'gist', 'public') && !served('d0', 'xtree', 'public'), 'without the extension only GiST serves <->');
$node->safe_psql('d0', 'CREATE EXTENSION xtree_btree_gist');
check('d0', 'again', 'public');
$node->safe_psql('d0', 'DROP EXTENSION xtree CASCADE');
ok(served('d0', 'gist', 'public'), 'GiST does without xtree');

done_testing();
