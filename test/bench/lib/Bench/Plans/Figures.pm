# The figures of the part `plans` taken together, and its targets.  Pure computation.
package Bench::Plans::Figures;
use strict;
use warnings;
use Bench::Ratios;
use Bench::Stats qw(median);
use List::Util qw(max);
use POSIX qw(ceil);

my ($MEDIAN_FACTOR, $MOST_FACTOR, $MOST_RATIO) = (1.5, 4, 1.3);
my $MOST = 0.95;    # of the queries are to be within the latter two

# What 95 % of the values do not exceed.
sub nearly_all {
    my @sorted = sort { $a <=> $b } @_;
    return @sorted ? $sorted[ max(0, ceil($MOST * @sorted) - 1) ] : undef;
}

# Of factors of error or ratios of times: how many, the median, what nearly all do not exceed, and the share within a limit.
sub spread {
    my ($most, @values) = @_;
    return { count => scalar @values, median => median(@values), nearly_all => nearly_all(@values), most => $most,
             within => @values && grep({ $_ <= $most } @values) / @values };
}

sub spreads {
    my ($figures) = @_;
    my @queries = @{ $figures->{queries} };
    my @modes   = @{ $figures->{modes} };
    my @geometry = grep { $_->{postgis} } @queries;    # estimated by PostGIS, which has statistics of its own
    my @own      = grep { !$_->{postgis} } @queries;
    my $of_modes = sub {
        my ($most, $field, @of) = @_;
        return { map { my $mode = $_; $mode => spread($most, _values($field, map { $_->{mode}{$mode} } @of)) } @modes };
    };
    return {
        factor   => $of_modes->($MOST_FACTOR, 'factor', @own),
        ratio    => $of_modes->($MOST_RATIO, 'ratio', @queries),
        geometry => $of_modes->($MOST_FACTOR, 'factor', @geometry),
        postgis  => spread($MOST_FACTOR, _values('factor', map { $_->{postgis} } @geometry)),
    };
}

sub _values { my ($field, @of) = @_; return grep { defined } map { $_->{$field} } @of }

# Of `off` there are the same figures without a target.
sub targets {
    my ($figures) = @_;
    my $spreads = spreads($figures);
    my @targets;
    for my $mode (@{ $figures->{modes} }) {
        my ($factor, $ratio) = map { $spreads->{$_}{$mode} } qw(factor ratio);
        my $line = sub {
            my ($what, $reference, $value, $most) = @_;
            return Bench::Ratios::target("plans, $mode: $what", $reference, $value, 1, $mode eq 'auto' ? $most : undef);
        };
        push @targets,
            $line->('rows expected, median of factors', 'truth', $factor->{median}, $MEDIAN_FACTOR),
            $line->('rows expected, factor of 95 %', 'truth', $factor->{nearly_all}, $MOST_FACTOR),
            $line->('time of the plan chosen, ratio of 95 %', 'best plan', $ratio->{nearly_all}, $MOST_RATIO);
    }
    push @targets, map { Bench::Ratios::target("plans: planning, $_->{title}, auto less off", '1 ms', $_->{difference}, 1, $_->{most}) }
        grep { defined $_->{difference} } @{ $figures->{planning} };
    return \@targets;
}

1;
