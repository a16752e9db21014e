# 100,000 points of contrib/cube in 4, 8, 16 and 32 dimensions, in 200 clusters.  Beside the
# indexes stands the sequential scan, which no index may be slower than.  Pure description;
# see Bench::Data for the fields.
package Bench::Data::Cubes;
use strict;
use warnings;

my @DIMENSIONS = (4, 8, 16, 32);
my $CLUSTERS   = 200;

sub describe {
    my ($class, $opt) = @_;
    my $rows = $opt->rows(100_000, 20_000);
    return map { _set($rows, $_) } @DIMENSIONS;
}

sub _set {
    my ($rows, $dims) = @_;
    my $key = "cubes$dims";
    return {
        key => $key, title => "$rows points in $dims dimensions", rows => $rows, needs => ['xtree_cube'],
        base => [
            "CREATE TABLE ${key}_centers AS SELECT g AS id, ARRAY(SELECT random() * 100 FROM generate_series(1, $dims) WHERE g = g) AS x
             FROM generate_series(1, $CLUSTERS) g",
            # The sum of three uniform numbers is close enough to a normal one.
            "CREATE TABLE ${key}_base AS SELECT g AS id,
               cube(ARRAY(SELECT c + 4 * (random() + random() + random() - 1.5) FROM unnest(x) WITH ORDINALITY u(c, i) WHERE g = g ORDER BY i)) AS c
             FROM generate_series(1, $rows) g JOIN ${key}_centers m ON m.id = 1 + g % $CLUSTERS",
            "DROP TABLE ${key}_centers",
        ],
        peers   => [
            { name => 'xtree',   index => ['CREATE INDEX ON %t USING xtree (c)'] },
            { name => 'gist',    index => ['CREATE INDEX ON %t USING gist (c)'] },
            { name => 'seqscan', index => [], mode => 'sequential' },
        ],
        classes => [ _classes($key, $dims, $rows / $CLUSTERS) ],
    };
}

# Windows around a point, up to its 100th neighbour by the greatest difference of coordinates: a fifth of its cluster.
sub _classes {
    my ($key, $dims, $cluster) = @_;
    my $some = "SELECT id, c FROM ${key}_base ORDER BY hashint4(id) LIMIT 100";
    my $skip = $cluster < 200 ? 20 : 100;
    return (
        {
            key => 'window', group => 'window', title => "window of $skip rows", mode => 'index', expr => 'count(id)',
            constants => "SELECT cube_enlarge(s.c, h, $dims) AS w FROM ($some) s, LATERAL
                (SELECT c <=> s.c AS h FROM ${key}_base n ORDER BY n.c <=> s.c OFFSET $skip LIMIT 1) f",
            from => '%t WHERE c <@ q.w', digest => 'coalesce(sum(id), 0)',
        },
        {
            key => 'nearest', group => 'knn', title => '10 nearest', mode => 'index', expr => 'count(s.id)',
            constants => "SELECT c FROM ($some) s",
            from => '(SELECT id FROM %t ORDER BY c <-> q.c LIMIT 10) s',
            digest => 'round(sum(s.d)::numeric, 6)', digest_from => '(SELECT c <-> q.c AS d FROM %t ORDER BY c <-> q.c LIMIT 10) s',
        },
    );
}

1;
