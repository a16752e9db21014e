# One million boxes in a square of side 1000, sides uniform in 0..2 (the same overlap
# with --scale).  Coordinates are multiples of 1/1024, so that core's comparison with a
# tolerance of 1e-6 and cube's exact one agree.  Pure description; see Bench::Data.
package Bench::Data::Boxes;
use strict;
use warnings;
use Bench::Data::Geometry qw(nearest);

my $SIDE = 1000;
my $GRID = 1024;

sub describe {
    my ($class, $opt) = @_;
    my $rows  = $opt->rows(1_000_000, 20_000);
    my $width = 2 * $SIDE / sqrt($rows);
    return {
        key => 'boxes', title => "$rows boxes", rows => $rows,
        base    => [ 'CREATE TABLE boxes_base AS ' . _rows($rows, $width) ],
        peers   => [ _peers() ],
        classes => [ _classes($width / 2) ],
        write   => { columns => ['b'], rows => sub { _rows($_[0], $width) }, peers => [qw(xtree gist spgist brin)] },
    };
}

sub _rows {
    my ($count, $width) = @_;
    my ($place, $side) = (_snap($SIDE), _snap($width));
    return "SELECT id, box(point(x, y), point(x + dx, y + dy)) AS b
            FROM (SELECT id, $place AS x, $place AS y, $side AS dx, $side AS dy FROM generate_series(1, $count) AS id) r";
}

sub _snap { my ($range) = @_; return "round(random() * $range * $GRID) / $GRID" }

sub _peers {
    return (
        { name => 'xtree',  index => ['CREATE INDEX ON %t USING xtree (b)'] },
        { name => 'gist',   index => ['CREATE INDEX ON %t USING gist (b)'] },
        { name => 'spgist', index => ['CREATE INDEX ON %t USING spgist (b)'] },
        { name => 'cube',   index => ['CREATE INDEX ON %t USING gist (b)'],
          select => 'SELECT id, cube(ARRAY[(b[1])[0], (b[1])[1]], ARRAY[(b[0])[0], (b[0])[1]]) AS b FROM boxes_base' },
        { name => 'brin',   index => ['CREATE INDEX ON %t USING brin (b)'], mode => 'bitmap' },
    );
}

# Squares of side $w, on the grid.
sub _squares {
    my ($w, $count) = @_;
    my $snapped = int($w * $GRID + 0.5) / $GRID;
    return "SELECT box(point(x, y), point(x + $snapped, y + $snapped)) AS w
            FROM (SELECT ${\ _snap($SIDE - $w)} AS x, ${\ _snap($SIDE - $w)} AS y FROM generate_series(1, $count)) r";
}

sub _search {
    my ($operator, %fields) = @_;
    return {
        group => 'window', mode => 'index', expr => 'count(*)',
        from => "%t WHERE b $operator q.w", digest => 'coalesce(sum(hashfloat8((b[1])[0])::bigint), 0)',
        own => { cube => {
            from => "%t WHERE b $operator cube(ARRAY[(q.w[1])[0], (q.w[1])[1]], ARRAY[(q.w[0])[0], (q.w[0])[1]])",
            digest => 'coalesce(sum(hashfloat8(cube_ll_coord(b, 1))::bigint), 0)' } },
        %fields,
    };
}

# $mean is the mean side of a box, so about ((w + mean) / mean)^2 boxes meet a window of side w.
sub _classes {
    my ($mean) = @_;
    my $anywhere = "SELECT point(random() * $SIDE, random() * $SIDE) AS p FROM generate_series(1, 2000)";
    return (
        nearest('b', 10, constants => $anywhere),
        _search('&&', key => 'overlap', title => 'b && window, ~100 rows, index-only', constants => _squares(9 * $mean, 2000)),
        _search('&&', key => 'overlaph', title => 'b && window, ~100 rows, bitmap heap', constants => _squares(9 * $mean, 1000),
                mode => 'bitmap', expr => 'count(id)'),
        _search('<@', key => 'within',  title => 'b <@ window, ~100 rows, index-only', constants => _squares(11 * $mean, 2000)),
        _search('@>', key => 'contains', title => 'b @> small box, ~1 row, index-only', constants => _squares($mean / 64, 4000)),
    );
}

1;
