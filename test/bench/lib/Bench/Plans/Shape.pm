# What EXPLAIN (FORMAT JSON) says of a plan: its count of rows, its name for people, and what tells it from others.
# Pure functions.
package Bench::Plans::Shape;
use strict;
use warnings;
use JSON::PP ();
use List::Util qw(uniq);

# Above the node that makes the query's rows; a Limit takes only some of them, a Sort passes them on.
my %ABOVE = map { $_ => 1 } 'Limit', 'Sort', 'Incremental Sort', 'Aggregate', 'Materialize', 'Gather', 'Gather Merge', 'Subquery Scan';

# What may differ between two explanations of one plan.
my @FIGURES = ('Startup Cost', 'Total Cost', 'Plan Rows', 'Plan Width', 'Disabled');

my %JOIN    = ('Nested Loop' => 'loop', 'Hash Join' => 'hash', 'Merge Join' => 'merge');
my %WRAPPED = (Sort => 'sort', 'Incremental Sort' => 'sort', Materialize => 'kept', Memoize => 'memo');

sub children { my ($node) = @_; return @{ $node->{Plans} // [] } }

# The rows that the planner expects of the query, its LIMIT left aside.
sub rows {
    my ($node) = @_;
    ($node) = children($node) while $ABOVE{ $node->{'Node Type'} };
    return $node->{'Plan Rows'};
}

# Equal for plans that do the same.
sub key {
    my ($node) = @_;
    return JSON::PP->new->canonical->encode(_without_figures($node));
}

sub _without_figures {
    my ($node) = @_;
    my %same = %$node;
    delete @same{@FIGURES};
    $same{Plans} = [ map { _without_figures($_) } children($node) ];
    return \%same;
}

# For instance "loop(seq spots, index skewed_xtree)".
sub name {
    my ($node) = @_;
    my $type  = $node->{'Node Type'};
    my @below = children($node);
    return $JOIN{$type} . '(' . join(', ', map { name($_) } @below) . ')' if $JOIN{$type};
    return "$WRAPPED{$type}(" . name($below[0]) . ')' if $WRAPPED{$type};
    return 'bitmap ' . _bits($below[0]) if $type eq 'Bitmap Heap Scan';
    return 'seq ' . _short($node->{'Relation Name'}) if $type eq 'Seq Scan';
    return ($type eq 'Index Only Scan' ? 'only ' : 'index ') . _short($node->{'Index Name'}) if $node->{'Index Name'};
    return @below ? name($below[0]) : lc $type;
}

sub _bits {
    my ($node) = @_;
    return _short($node->{'Index Name'}) if $node->{'Index Name'};
    return join $node->{'Node Type'} eq 'BitmapOr' ? '|' : '&', uniq(map { _bits($_) } children($node));
}

sub _short { my ($name) = @_; return $name =~ s/^plans_//r }

1;
