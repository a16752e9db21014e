# What several tests need.
package XtreeTest;
use strict;
use warnings;

use Exporter 'import';
use Test::More;

our @EXPORT = qw(need_stop_points nearest_question clusters_agree);

# Skips the whole test where the library that this running server uses was built without stop points.
sub need_stop_points
{
	my ($node) = @_;
	return if defined eval { $node->safe_psql('postgres', q{LOAD 'xtree'; SHOW xtree.stop_point}) };
	plan skip_all => 'the library was built without stop points (make STOP_POINTS=1)';
}

# The distances of the 15 nearest of t (id, tenant, v), with and without a condition, by each distance of vectors. vector_of() makes one.
sub nearest_question
{
	return join ' UNION ALL ', map {
		my $distance = $_;
		map { my $where = $_;
			"SELECT * FROM (SELECT '$distance' AS by, '$where' AS condition, v $distance vector_of(77777) FROM t WHERE $where ORDER BY v $distance vector_of(77777) LIMIT 15) q" }
			'v IS NOT NULL', 'tenant = 3 AND v IS NOT NULL' } '<->', '<#>', '<=>', '<+>';
}

# The index t_v answers it as a scan does, with these settings, and is valid.
sub clusters_agree
{
	my ($server, $what, $settings) = @_;
	my $question = nearest_question();
	is($server->safe_psql('postgres', ($settings // '') . " SET enable_seqscan = off; SET enable_sort = off; SET enable_bitmapscan = off; $question"),
		$server->safe_psql('postgres', "SET enable_indexscan = off; SET enable_bitmapscan = off; $question"), "$what: nearest as by a scan");
	is($server->safe_psql('postgres', q{SELECT xtree_check('t_v', true)}), '', "$what: xtree_check");
	return;
}

1;
