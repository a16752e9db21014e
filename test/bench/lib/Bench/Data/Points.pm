# One million uniform points in a square of side 1000 (fewer with --scale).
# Pure description; see Bench::Data for the fields.
package Bench::Data::Points;
use strict;
use warnings;
use Bench::Data::Geometry qw(point_peers window nearest nearest_key);

my $SIDE = 1000;

sub describe {
    my ($class, $opt) = @_;
    my $rows = $opt->rows(1_000_000, 20_000);
    return {
        key => 'points', title => "$rows uniform points", rows => $rows,
        base    => [ 'CREATE TABLE points_base AS ' . _rows($rows) ],
        peers   => [ point_peers('points_base') ],
        classes => [ _classes($rows) ],
        write   => { columns => ['p'], rows => \&_rows, peers => [qw(xtree gist spgist kdtree brin)] },
    };
}

sub _rows {
    my ($count) = @_;
    return "SELECT id, point(random() * $SIDE, random() * $SIDE) AS p FROM generate_series(1, $count) AS id";
}

# A square that holds about $hits of the rows, anywhere.
sub _squares {
    my ($rows, $hits, $count) = @_;
    my $w = $SIDE * sqrt($hits / $rows);
    return "SELECT box(point(x, y), point(x + $w, y + $w)) AS w
            FROM (SELECT random() * ($SIDE - $w) AS x, random() * ($SIDE - $w) AS y FROM generate_series(1, $count)) r";
}

sub _classes {
    my ($rows) = @_;
    my $anywhere = sub { "SELECT point(random() * $SIDE, random() * $SIDE) AS p FROM generate_series(1, $_[0])" };
    return (
        nearest('p', 10,  constants => $anywhere->(2000)),
        nearest_key('p', 10, constants => $anywhere->(2000)),
        nearest('p', 100, constants => $anywhere->(500)),
        window(key => 'w1',     title => 'window ~1 row, index-only',     constants => _squares($rows, 1, 4000)),
        window(key => 'w100',   title => 'window ~100 rows, index-only',  constants => _squares($rows, 100, 2000)),
        window(key => 'w100h',  title => 'window ~100 rows, bitmap heap', constants => _squares($rows, 100, 1000),
               mode => 'bitmap', expr => 'count(id)'),
        window(key => 'w10000', title => 'window ~10000 rows, index-only', constants => _squares($rows, 10_000, 100)),
    );
}

1;
