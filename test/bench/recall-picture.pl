#!/usr/bin/perl
# Draws docs/vectors-recall.svg: recall by time of a query, from what `bench.pl --only vectors` printed.
#   test/bench/recall-picture.pl OUTPUT... > docs/vectors-recall.svg      (of all rows; a panel per data set)
use strict;
use warnings;

my ($width, $left, $plot_width, $top, $bottom) = (420, 50, 340, 40, 250);
my %colour = (xtree => '#0b6', hnsw => '#c33', ivfflat => '#36c');

# [{ title => ..., points => { index => [[ms, recall, setting], ...] } }, ...]
sub read_output {
    my (@panels, $all);
    while (my $line = <>) {
        if ($line =~ /^Vectors: 10 nearest of (.*)/) { push @panels, { title => $1 }; $all = 0; }
        next if !@panels;
        $all = $1 eq 'all' if $line =~ /^(all|[\d.]+ %)\s/;
        $all = 0           if $line =~ /^\s*$/;
        next if !$all || $line !~ /\b(xtree|hnsw|ivfflat)\s+(exact|\d+)\s+\d+\s+([\d.]+)\s+([\d.]+)/;
        push @{ $panels[-1]{points}{$1} }, [$3, $4, $2];
    }
    return @panels;
}

# Milliseconds from 0.1 to 100, by their logarithms; recalls from 0.5 to 1.
sub place {
    my ($start, $ms, $recall) = @_;
    return ($start + $left + $plot_width * (log($ms) / log(10) + 1) / 3, $bottom - ($bottom - $top) * ($recall - 0.5) / 0.5);
}

sub axes {
    my ($start, $title) = @_;
    my ($from, $to) = ($start + $left, $start + $left + $plot_width);
    printf qq{<text x="%d" y="22" font-size="12">%s</text>\n}, $from, $title =~ s/</&lt;/gr =~ s/>/&gt;/gr;
    for my $recall (map { $_ / 10 } 5 .. 10) {
        my (undef, $y) = place($start, 1, $recall);
        printf qq{<line x1="%d" x2="%d" y1="%.1f" y2="%.1f" stroke="#ddd"/><text x="%d" y="%.1f" text-anchor="end">%.1f</text>\n}, $from, $to, $y, $y, $from - 6, $y + 4, $recall;
    }
    for my $ms (0.1, 0.3, 1, 3, 10, 30, 100) {
        my ($x) = place($start, $ms, 1);
        printf qq{<line x1="%.1f" x2="%.1f" y1="%d" y2="%d" stroke="#eee"/><text x="%.1f" y="%d" text-anchor="middle">%s</text>\n}, $x, $x, $top, $bottom, $x, $bottom + 16, $ms;
    }
    printf qq{<text x="%d" y="%d" text-anchor="middle">ms a query</text>\n}, ($from + $to) / 2, $bottom + 36;
}

sub curve {
    my ($start, $index, $points) = @_;
    my @shown = grep { $_->[2] ne 'exact' && $_->[1] >= 0.5 } @$points;
    my $line  = join ' ', map { sprintf '%.1f,%.1f', place($start, @$_[0, 1]) } @shown;
    print qq{<polyline fill="none" stroke="$colour{$index}" stroke-width="2" points="$line"/>\n};
    printf qq{<circle cx="%.1f" cy="%.1f" r="2.5" fill="$colour{$index}"/>\n}, place($start, @$_[0, 1]) for @shown;
    for my $exact (grep { $_->[2] eq 'exact' } @$points) {
        my ($x, $y) = place($start, @$exact[0, 1]);
        printf qq{<circle cx="%.1f" cy="%.1f" r="5" fill="none" stroke="$colour{$index}" stroke-width="2"/><text x="%.1f" y="%.1f" text-anchor="middle">exact</text>\n}, $x, $y, $x, $y - 8;
    }
}

my @panels = read_output();
die "no recalls of vectors in the input\n" if !@panels;
printf qq{<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d 320" font-family="sans-serif" font-size="10"><title>Recall of the 10 nearest by time of a query</title><rect width="100%%" height="100%%" fill="white"/>\n},
    $width * @panels;
for my $i (0 .. $#panels) {
    axes($i * $width, $panels[$i]{title});
    curve($i * $width, $_, $panels[$i]{points}{$_} // []) for sort keys %colour;
}
my $x = $left;
for my $index (sort keys %colour) {
    printf qq{<rect x="%d" y="302" width="10" height="10" fill="%s"/><text x="%d" y="311">%s</text>\n}, $x, $colour{$index}, $x + 14, $index;
    $x += 70;
}
print "</svg>\n";
