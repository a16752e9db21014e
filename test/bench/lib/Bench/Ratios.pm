# xtree beside the reference peer of each target, and beside the best of all peers.
# brin summarises blocks and holds no entries: it competes in queries only.
# Pure computation over the results of the other parts.
package Bench::Ratios;
use strict;
use warnings;

# [reference peer, ratio to reach]; anything else is held to "not slower than gist".
my %TARGET = (
    'build points' => [ 'gist', 0.4 ],  'build boxes' => [ 'gist', 0.15 ],
    'size points'  => [ 'gist', 0.45 ], 'size boxes'  => [ 'gist', 0.6 ],
    'points knn10' => [ 'spgist', 0.5 ], 'points w100' => [ 'spgist', 0.7 ], 'points w1' => [ 'spgist', 0.95 ],
    'scalars r2'   => [ 'btree', 0.25 ], 'scalars r3' => [ 'btree', 0.1 ], 'scalars r4' => [ 'btree', 0.1 ],
    'scalars t2'   => [ 'btrees', 0.5 ],
    'points single time' => [ 'gist', 1.0 ], 'points update time' => [ 'gist', 1.0 ],
    'points copy time'   => [ 'gist', 1.3 ], 'points single WAL'  => [ 'gist', 1.0 ],
    (map { ("build cubes$_" => [ 'gist', 0.2 ], "cubes$_ window" => [ 'gist', 0.3 ], "cubes$_ nearest" => [ 'gist', 0.3 ]) } 4, 8, 16, 32),
    'build bookings' => [ 'gist', 0.2 ], 'bookings week' => [ 'gist', 0.7 ], 'spans stab' => [ 'spgist', 1.0 ],
    (map { ("areas $_" => [ 'spgist', 0.7 ]) } qw(contains overlap knn10)),
    'places nearest' => [ 'gist', 0.5 ], 'zones nearest' => [ 'gist', 0.5 ],
);

my @SETS = (qw(points cities boxes scalars), (map { "cubes$_" } 4, 8, 16, 32), qw(bookings spans areas places zones));

sub compute {
    my ($result) = @_;
    my @ratios;
    for my $key (@SETS) {
        my $set = $result->{datasets}{$key} or next;
        push @ratios, _builds($key, $set->{build}), _queries($key, $set->{query}), _writes($key, $set->{write});
    }
    return \@ratios;
}

# Each beside the best of its peers, or the one that the data set names, which it must not be slower than.
sub reports {
    my ($result) = @_;
    my @ratios;
    for my $key (sort keys %{ $result->{reports} }) {
        my $set  = $result->{reports}{$key};
        my $line = sub { my ($what, @of) = @_; return map { _beside("$set->{title}: $what", $_, $set->{beside}) } @of };
        push @ratios, $line->('CREATE INDEX, s', { map { $_->{peer} => $_->{seconds} } @{ $set->{build} } }) if $set->{build};
        push @ratios, map { my $class = $_; $line->("$class->{title}, us", { map { $_->{peer} => $_->{us} } @{ $class->{peers} } }) } @{ $set->{query} };
    }
    return \@ratios;
}

sub _beside {
    my ($what, $value, $peer) = @_;
    my $xtree = delete $value->{xtree};
    return unless defined $xtree && %$value;
    my ($best) = sort { $value->{$a} <=> $value->{$b} } keys %$value;
    my $reference = $peer // $best;
    return { %{ target($what, $reference, $xtree, $value->{$reference}, 1.0) }, best => $best, best_ratio => $xtree / $value->{$best} };
}

sub _builds {
    my ($key, $builds) = @_;
    return unless $builds;
    return (
        _ratio("build $key", "build $key, s", undef, map { $_->{peer} => $_->{seconds} } @$builds),
        _ratio("size $key", "size $key, MB", undef, map { $_->{peer} => $_->{bytes} / 2**20 } @$builds),
    );
}

sub _queries {
    my ($key, $classes) = @_;
    return map {
        my $class = $_;
        my %us    = map { $_->{peer} => $_->{us} } @{ $class->{peers} };
        my $scan  = delete $us{seqscan};
        (map { { %$_, what => "$key: $class->{title}, us" } } _ratio("$key $class->{key}", '', 1.0, %us)),
            defined $scan && $us{xtree} ? target("$key: $class->{title}, us", 'seqscan', $us{xtree}, $scan, 1.0) : ();
    } @{ $classes // [] };
}

sub _writes {
    my ($key, $variants) = @_;
    return unless $variants;
    my @indexed = grep { $_->{peer} ne 'none' } @$variants;
    my @ratios;
    for my $kind (sort keys %{ $variants->[0]{kinds} }) {
        push @ratios,
            _ratio("$key $kind time", "$key: index share of $kind, us", undef, map { $_->{peer} => $_->{kinds}{$kind}{share_us} } @indexed),
            _ratio("$key $kind WAL", "$key: WAL of $kind above the heap's, B/row", undef, map { $_->{peer} => $_->{kinds}{$kind}{share_wal} } @indexed);
    }
    return @ratios;
}

# A line of the parts about memory: what was measured, against what, and the most that their ratio may be.
sub target {
    my ($what, $reference, $value, $reference_value, $most) = @_;
    my $ratio = $reference_value ? $value / $reference_value : undef;
    my $mark = !defined $most || !defined $ratio ? '' : $ratio <= $most ? 'reached' : 'missed';
    return { what => $what, reference => $reference, xtree => $value, reference_value => $reference_value, ratio => $ratio,
             target => $most, mark => $mark, best => '', best_ratio => undef };
}

# One line, or nothing when xtree or every peer is missing.  A share can come out as
# nought or less (noise, or no WAL): such a value is no base for a ratio.
sub _ratio {
    my ($key, $what, $default, %value) = @_;
    delete @value{qw(brin seqscan)} unless defined $default;
    my $xtree = delete $value{xtree};
    return unless defined $xtree;
    delete @value{ grep { !defined $value{$_} || $value{$_} <= 0 } keys %value };
    return unless %value;
    my ($best) = sort { $value{$a} <=> $value{$b} } keys %value;
    my ($reference, $target) = @{ $TARGET{$key} // [ (exists $value{gist} ? 'gist' : 'btree_gist'), $default ] };
    my $line = { what => $what, reference => $reference, xtree => $xtree, best => $best, best_ratio => $xtree / $value{$best}, mark => '' };
    return $line unless exists $value{$reference};
    $line->{reference_value} = $value{$reference};
    $line->{ratio}  = $xtree / $value{$reference};
    $line->{target} = $target;
    $line->{mark}   = $line->{ratio} <= $target ? 'reached' : 'missed' if defined $target;
    return $line;
}

1;
