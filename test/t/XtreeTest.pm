# What several tests need.
package XtreeTest;
use strict;
use warnings;

use Exporter 'import';
use Test::More;

our @EXPORT = qw(need_stop_points);

# Skips the whole test where the library that this running server uses was built without stop points.
sub need_stop_points
{
	my ($node) = @_;
	return if defined eval { $node->safe_psql('postgres', q{LOAD 'xtree'; SHOW xtree.stop_point}) };
	plan skip_all => 'the library was built without stop points (make STOP_POINTS=1)';
}

1;
