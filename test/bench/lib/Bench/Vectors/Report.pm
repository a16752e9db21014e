# What the part "vectors" prints, and its lines in the last table. Gets finished figures.
package Bench::Vectors::Report;
use strict;
use warnings;
use Bench::Ratios;
use Bench::Text qw(table number megabytes);

my @RECALLS = (0.95, 0.99);

sub tables {
    my ($figure) = @_;
    my $what = "$figure->{rows} $figure->{title}, $figure->{dims} dimensions, $figure->{op}";
    print "\nvectors, $figure->{key}: $_->{name} SKIPPED, $_->{skipped}\n" for grep { $_->{skipped} } @{ $figure->{peers} };
    print "\nvectors, $figure->{key}: $_->{name} with tenant SKIPPED, filters are tested on rows: $_->{filtered_skipped}\n" for grep { $_->{filtered_skipped} } @{ $figure->{peers} };
    my @peers = grep { !$_->{skipped} } @{ $figure->{peers} };
    table("Vectors: indexes of $what (maintenance_work_mem $figure->{memory} MB)", 1,
        [ 'index', 'build s', 'MB', 'with tenant: build s', 'MB', 'rows inserted/s' ],
        map { [ $_->{name}, number($_->{build}), megabytes($_->{size}), $_->{filtered_build} ? (number($_->{filtered_build}), megabytes($_->{filtered_size})) : ('', ''),
                number($_->{insert}) ] } @peers) if @peers;
    my @rows;
    for my $filter (@{ $figure->{filters} }) {
        my $scan = $figure->{scan}{$filter};
        push @rows, [ $filter, 'sequential scan', '', $scan->{queries}, number($scan->{ms}), '1', '', '' ];
        for my $peer (@peers) {
            push @rows, map { [ '', $peer->{name}, $_->{value}, $_->{queries}, number($_->{ms}), sprintf('%.3f', $_->{recall}), number($_->{rows}), $_->{short} || '' ] }
                @{ $peer->{curve}{$filter} };
        }
    }
    table("Vectors: 10 nearest of $what", 3, [ 'rows of', 'index', 'setting', 'queries', 'ms', 'recall', 'rows', 'answers too short' ], @rows);
    _quarter($figure, $what, @peers) if $figure->{scan_quarter};
    return;
}

# Each beside the bytes of its cache, a quarter of the table with its index.
sub _quarter {
    my ($figure, $what, @peers) = @_;
    my @rows;
    for (['sequential scan', $figure->{scan_quarter}], map { [ $_->{name}, $_->{quarter} ] } grep { $_->{quarter} } @peers) {
        my ($name, $quarter) = @$_;
        push @rows, [ $name, '', megabytes($quarter->{bytes}), "SKIPPED, $quarter->{why}" ] if $quarter->{why};
        push @rows, map { [ $name, $_, megabytes($quarter->{bytes}), number($quarter->{ms}{$_}) ] } sort keys %{ $quarter->{ms} };
    }
    table("Vectors: the same with a cache of a quarter, $what", 2, [ 'index', 'setting', 'cache MB', 'ms' ], @rows);
    return;
}

# The quickest point with this recall.
sub _at {
    my ($peer, $filter, $recall) = @_;
    my ($best) = sort { $a->{ms} <=> $b->{ms} } grep { $_->{recall} >= $recall } @{ $peer->{curve}{$filter} // [] };
    return $best ? $best->{ms} : undef;
}

sub targets {
    my ($figure) = @_;
    my %peer = map { $_->{name} => $_ } grep { !$_->{skipped} } @{ $figure->{peers} };
    my $xtree = $peer{xtree} or return;
    my ($exact) = grep { $_->{value} eq 'exact' } @{ $xtree->{curve}{all} };
    my @lines = (Bench::Ratios::target("vectors $figure->{key}: exact 10 nearest, ms", 'seqscan', $exact->{ms}, $figure->{scan}{all}{ms}, $figure->{dims} > 100 ? 0.15 : undef));
    for my $filter (@{ $figure->{filters} }) {
        my %most = $filter eq 'all' ? (hnsw => 1.0, ivfflat => 0.5) : (hnsw => { '10 %' => 0.5, '1 %' => 0.2, '0.1 %' => 0.1 }->{$filter});
        for my $recall (@RECALLS) {
            push @lines, map { _line("vectors $figure->{key}: $filter, recall $recall, ms", $_, _at($xtree, $filter, $recall), _at($peer{$_}, $filter, $recall), $most{$_}) }
                grep { $peer{$_} } qw(hnsw ivfflat);
        }
        my $short = 0;
        $short += $_->{short} for grep { $_->{recall} >= $RECALLS[0] } @{ $xtree->{curve}{$filter} };
        push @lines, Bench::Ratios::target("vectors $figure->{key}: $filter, answers too short", '1', $short, 1, 0) if $filter ne 'all';
    }
    if (my $hnsw = $peer{hnsw}) {
        push @lines, Bench::Ratios::target("vectors $figure->{key}: build, s", 'hnsw', $xtree->{build}, $hnsw->{build}, 0.1),
            Bench::Ratios::target("vectors $figure->{key}: size, MB", 'hnsw', $xtree->{size} / 2**20, $hnsw->{size} / 2**20, 0.4),
            Bench::Ratios::target("vectors $figure->{key}: time of 1,000 insertions, s", 'hnsw', 1000 / $xtree->{insert}, 1000 / $hnsw->{insert}, 0.2);
    }
    return @lines;
}

# A peer that does not come to the recall is no base for a ratio.
sub _line {
    my ($what, $reference, $value, $reference_value, $most) = @_;
    return unless defined $value;
    return Bench::Ratios::target($what, $reference, $value, $reference_value, $most);
}

1;
