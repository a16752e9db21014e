# Pieces shared by the point and box data sets: peers and query classes on points.
# Pure descriptions; see Bench::Data for the fields.
package Bench::Data::Geometry;
use strict;
use warnings;
use Exporter 'import';
our @EXPORT_OK = qw(point_peers window nearest nearest_key);

# cube has a column type of its own, so its table differs by that column.
sub point_peers {
    my ($base) = @_;
    return (
        { name => 'xtree',  index => ['CREATE INDEX ON %t USING xtree (p)'] },
        { name => 'gist',   index => ['CREATE INDEX ON %t USING gist (p)'] },
        { name => 'spgist', index => ['CREATE INDEX ON %t USING spgist (p)'] },
        { name => 'kdtree', index => ['CREATE INDEX ON %t USING spgist (p kd_point_ops)'] },
        { name => 'cube',   index => ['CREATE INDEX ON %t USING gist (p)'],
          select => "SELECT id, cube(ARRAY[p[0], p[1]]) AS p FROM $base" },
        { name => 'brin',   index => ['CREATE INDEX ON %t USING brin (box(p))'], mode => 'bitmap' },
    );
}

my $POINT_DIGEST = 'coalesce(sum(hashfloat8(p[0])::bigint), 0)';
my $CUBE_DIGEST  = 'coalesce(sum(hashfloat8(cube_ll_coord(p, 1))::bigint), 0)';

# Points in a box q.w: %fields are key, title, mode, constants, expr.
sub window {
    my (%fields) = @_;
    return {
        group => 'window', mode => 'index', expr => 'count(*)',
        from => '%t WHERE p <@ q.w', digest => $POINT_DIGEST,
        own => {
            cube => { from => '%t WHERE p <@ cube(ARRAY[(q.w[1])[0], (q.w[1])[1]], ARRAY[(q.w[0])[0], (q.w[0])[1]])',
                      digest => $CUBE_DIGEST },
            # Boxes compare with a tolerance, points exactly.
            brin => { from => '%t WHERE box(p) <@ q.w AND p <@ q.w' },
        },
        %fields,
    };
}

# The nearest rows to a point q.p by column $column.  The id is fetched from the heap, as users do.
sub nearest {
    my ($column, $limit, %fields) = @_;
    my $ids  = sub { "(SELECT id FROM %t ORDER BY $column <-> $_[0] LIMIT $limit) s" };
    my $far  = sub { "(SELECT $column <-> $_[0] AS d FROM %t ORDER BY $column <-> $_[0] LIMIT $limit) s" };
    my $cube = 'cube(ARRAY[q.p[0], q.p[1]])';
    return {
        key => "knn$limit", group => 'knn', title => "$limit nearest", mode => 'index',
        expr => 'count(s.id)', from => $ids->('q.p'),
        digest => 'round(sum(s.d)::numeric, 6)', digest_from => $far->('q.p'),
        own => { cube => { from => $ids->($cube), digest_from => $far->($cube) } },
        skip => { brin => 1 },
        %fields,
    };
}

# The same without the heap: the nearest points themselves, from the index alone.
sub nearest_key {
    my ($column, $limit, %fields) = @_;
    my $class = nearest($column, $limit, title => "$limit nearest, index-only", %fields, key => "knn${limit}i");
    $class->{expr} = "count(s.$column)";
    $_->{from} =~ s/SELECT id FROM/SELECT $column FROM/ for $class, values %{ $class->{own} };
    return $class;
}

1;
