# The tables of the part `plans`.  Gets finished results and measures nothing.
package Bench::Plans::Report;
use strict;
use warnings;
use Bench::Plans::Figures;
use Bench::Text qw(table number);

sub queries {
    my ($figures) = @_;
    my @modes    = @{ $figures->{modes} };
    my ($chosen) = @modes;
    my @columns  = ((map { ($_, 'factor') } @modes), 'PostGIS', 'factor', 'ms', 'best ms', map { "$_/best" } @modes);
    table("Plans: rows that the planner expects, and the plan that it chooses ($chosen) beside the best (= the same one); factors of error, ms",
        3, [ 'query', 'plan chosen', 'best plan', 'plans', 'rows', @columns ],
        map { _line($_, \@modes) } @{ $figures->{queries} });
    _spreads($figures);
    return;
}

sub _line {
    my ($query, $modes) = @_;
    my $chosen    = $query->{mode}{ $modes->[0] };
    my $best      = $query->{best};
    my $best_plan = !$best ? '-' : $best->{plan} eq $chosen->{plan} && $chosen->{ratio} == 1 ? '=' : $best->{plan};
    return [
        $query->{name}, $chosen->{plan}, $best_plan, scalar @{ $query->{plans} }, _count($query->{truth}),
        (map { (_count($_->{rows}), number($_->{factor})) } map { $query->{mode}{$_} } @$modes),
        ($query->{postgis} ? (_count($query->{postgis}{rows}), number($query->{postgis}{factor})) : ('', '')),
        _ms($chosen), number($best->{ms}), map { _over($query->{mode}{$_}) . number($query->{mode}{$_}{ratio}) } @$modes,
    ];
}

sub _count { my ($rows) = @_; return defined $rows ? sprintf '%.0f', $rows : '-' }
sub _over  { my ($plan) = @_; return defined $plan->{ms} ? '' : '>' }
sub _ms    { my ($plan) = @_; return _over($plan) . number($plan->{ms} // $plan->{over}) }

sub _spreads {
    my ($figures) = @_;
    my $spreads = Bench::Plans::Figures::spreads($figures);
    my @lines;
    for my $mode (@{ $figures->{modes} }) {
        push @lines, [ "factor of error, $mode, without geometries", $spreads->{factor}{$mode} ];
        push @lines, [ "time of the plan chosen / the best, $mode", $spreads->{ratio}{$mode} ];
        push @lines, [ "factor of error, $mode, of geometries", $spreads->{geometry}{$mode} ] if $spreads->{postgis}{count};
    }
    push @lines, [ 'factor of error, PostGIS by itself', $spreads->{postgis} ] if $spreads->{postgis}{count};
    table('Plans: all queries together', 1, [ 'what', 'queries', 'median', 'of 95 %', 'limit', 'within' ],
        map { my ($what, $s) = @$_;
              [ $what, $s->{count}, (map { number($s->{$_}) } qw(median nearly_all most)), sprintf '%.0f %%', 100 * $s->{within} ] } @lines);
    return;
}

sub planning {
    my ($figures) = @_;
    my @modes = @{ $figures->{modes} };
    table('Plans: planning time (median ms)', 1, [ 'indexes of xtree', @modes, 'auto less off', 'at most' ],
        map { my $case = $_;
              [ $case->{title}, (map { _fine($_) } @{ $case->{ms} }{@modes}, $case->{difference}), number($case->{most}) ]
        } @{ $figures->{planning} });
    return;
}

sub _fine { my ($ms) = @_; return defined $ms ? sprintf '%.3f', $ms : '-' }

1;
