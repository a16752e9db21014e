# Order statistics over small samples.  Pure functions, used by every part.
package Bench::Stats;
use strict;
use warnings;
use Exporter 'import';
our @EXPORT_OK = qw(median mean midmean quantile paired_median);

sub median {
    my @sorted = sort { $a <=> $b } @_;
    return undef unless @sorted;
    my $mid = int(@sorted / 2);
    return @sorted % 2 ? $sorted[$mid] : ($sorted[ $mid - 1 ] + $sorted[$mid]) / 2;
}

sub mean {
    my @values = @_;
    return undef unless @values;
    my $sum = 0;
    $sum += $_ for @values;
    return $sum / @values;
}

# Mean of the middle half: as robust as the median, but finer where values are coarse.
sub midmean {
    my @sorted = sort { $a <=> $b } @_;
    my $cut = int(@sorted / 4);
    return mean(@sorted[ $cut .. $#sorted - $cut ]);
}

# The value that this share of the others is not above.
sub quantile {
    my ($share, @values) = @_;
    my @sorted = sort { $a <=> $b } @values;
    return $sorted[ int($share * $#sorted) ];
}

# Median of the differences of two series taken in the same rounds.
sub paired_median {
    my ($with, $without) = @_;
    return median(map { $with->[$_] - $without->[$_] } 0 .. $#$with);
}

1;
