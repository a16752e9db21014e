# Every SQL example of README.md runs, in order, in a fresh database.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $root = $ENV{XTREE_SOURCE} or die 'XTREE_SOURCE does not name the checkout';
my $readme = slurp_file("$root/README.md");
my @examples = $readme =~ /^```sql\n(.*?)^```/msg;
cmp_ok(scalar @examples, '>=', 8, 'README.md has examples');

my $node = PostgreSQL::Test::Cluster->new('readme');
$node->init;
$node->start;

foreach my $i (0 .. $#examples)
{
	my ($first_line) = $examples[$i] =~ /^(.*)$/m;
	my ($status, $out, $error) = $node->psql('postgres', $examples[$i]);
	is($status, 0, "runs: $first_line") or diag($error);
}

like($node->safe_psql('postgres', q{SET enable_seqscan = off; EXPLAIN SELECT id FROM shops
	WHERE opened BETWEEN '2021-01-01' AND '2021-12-31' ORDER BY place <-> point '(50.2,49.7)' LIMIT 3}),
	qr/Order By: \(place <-> /, 'the nearest-neighbour example is an index scan');
is($node->safe_psql('postgres', q{SELECT count(xtree_check(i.indexrelid, true)) FROM pg_index i
	JOIN pg_class c ON c.oid = indexrelid JOIN pg_am a ON a.oid = relam WHERE amname = 'xtree'}),
	4, 'the indexes of the examples pass xtree_check');

$node->stop;
done_testing();
