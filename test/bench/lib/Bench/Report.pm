# What the benchmark prints: one table per part, the table of ratios, the JSON file.
# Gets finished results and measures nothing.
package Bench::Report;
use strict;
use warnings;
use JSON::PP ();
use Bench::Text qw(table number megabytes);
use Bench::Write;

sub machine {
    my ($machine) = @_;
    my $set = $machine->{settings};
    print "machine: $machine->{cpu}, $machine->{cores} cores; PostgreSQL $machine->{version}\n",
        'settings: ', join(', ', map { "$_=$set->{$_}" } @{ $machine->{setting_order} }), "\n",
        "command: $machine->{command} (scale $machine->{scale}, $machine->{rounds} rounds, $machine->{repeats} builds, $machine->{clock} clock)\n";
    return;
}

sub build {
    my ($set, $builds) = @_;
    table("Build of $set->{title} (serial, median of n)", 1, [ 'index', 'n', 'seconds', 'MB', 'bytes/row' ],
        map { [ $_->{peer}, $_->{builds}, number($_->{seconds}), megabytes($_->{bytes}), number($_->{bytes_per_row}) ] } @$builds);
    return;
}

sub query {
    my ($set, $classes) = @_;
    my @rows;
    for my $class (@$classes) {
        my $title = $class->{title};
        for my $peer (@{ $class->{peers} }) {
            push @rows, [ $title, $peer->{peer}, $peer->{plan}, $peer->{queries}, number($peer->{rows_per_query}),
                number($peer->{us}), number($peer->{index_pages}), number($peer->{heap_pages}) ];
            $title = '';
        }
    }
    table("Queries on $set->{title} (median of rounds; per query)", 3,
        [ 'class', 'index', 'plan', 'queries', 'rows', 'us', 'index pages', 'heap pages' ], @rows);
    return;
}

sub write {
    my ($set, $variants) = @_;
    my @kinds = Bench::Write::kinds();
    my @rows  = map {
        my $variant = $_;
        my $kinds   = $variant->{kinds};
        my $field   = $variant->{peer} eq 'none' ? '' : 'share_';
        [ $variant->{peer} eq 'none' ? 'no index (whole)' : "$variant->{peer} (share)",
          (map { number($kinds->{$_}{"${field}us"}) } @kinds), (map { number($kinds->{$_}{"${field}wal"}) } @kinds),
          number((sort { $b <=> $a } map { $kinds->{$_}{images_per_row} } @kinds)[0]), megabytes($variant->{bytes}) ]
    } @$variants;
    table("Writes to $set->{title}, $variants->[0]{rows} rows of each kind (per row; share = with the index less without)", 1,
        [ 'index', (map { "$_ us" } @kinds), (map { "$_ WAL" } @kinds), 'images', 'MB after' ], @rows);
    return;
}

# The trees come in pairs: X-tree, then the same data with topological splits only.
sub paper {
    my ($trees) = @_;
    my @rows = map { [ @$_{qw(data dims tree supernodes height)}, number($_->{overlap}), number($_->{insert_us}), megabytes($_->{bytes}),
        (map { number($_) } map { @$_{qw(rows pages us)} } @{ $_->{classes} }{qw(point window)}) ] } @$trees;
    table("X-tree and the same tree with topological splits only, grown by INSERT of $trees->[0]{rows} rows", 3,
        [ 'data', 'dims', 'tree', 'supernodes', 'height', 'overlap', 'insert us', 'MB', 'point rows', 'pages', 'us', 'window rows', 'pages', 'us' ],
        @rows);
    my @pairs = map { [ @$trees[ 2 * $_, 2 * $_ + 1 ] ] } 0 .. @$trees / 2 - 1;
    table('Pages read per query, X-tree / topological splits only', 1, [ 'data', 'dims', 'point', 'window' ],
        map { my ($x, $r) = @$_; [ @$x{qw(data dims)}, map { number($x->{classes}{$_}{pages} / $r->{classes}{$_}{pages}) } qw(point window) ] } @pairs);
    return;
}

sub ratios {
    my ($ratios) = @_;
    return unless @$ratios;
    my @rows = map { [ $_->{what}, $_->{reference}, number($_->{xtree}), number($_->{reference_value}), number($_->{ratio}),
        defined $_->{target} ? number($_->{target}) : '', $_->{mark}, $_->{best}, $_->{best} ? number($_->{best_ratio}) : '' ] } @$ratios;
    table('xtree beside its reference and the best peer (ratios below 1: xtree is better)', 2,
        [ 'measure', 'reference', 'xtree', 'reference', 'ratio', 'at most', 'mark', 'best peer', 'ratio' ], @rows);
    my @missed = grep { $_->{mark} eq 'missed' } @$ratios;
    my @marked = grep { $_->{mark} } @$ratios;
    printf "\n%d of %d targets reached\n", @marked - @missed, scalar @marked;
    return;
}

sub differences {
    my ($differences) = @_;
    print "\nAll answers equal.\n" unless @$differences;
    print "\nUNEQUAL RESULTS\n", map { "  $_\n" } @$differences if @$differences;
    return @$differences ? 1 : 0;
}

sub json {
    my ($file, $result) = @_;
    open my $out, '>', $file or die "$file: $!\n";
    print {$out} JSON::PP->new->canonical->pretty->encode($result);
    close $out or die "$file: $!\n";
    return;
}

1;
