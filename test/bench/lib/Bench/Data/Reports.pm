# What people reported as slow: a small table for each report, and the query that was slow.  No index may be
# slower here than its best peer.  Pure description; see Bench::Data for the fields.
package Bench::Data::Reports;
use strict;
use warnings;

sub describe {
    my ($class, $opt) = @_;
    return (_ties($opt), _hosts($opt), _ranges($opt), _strings($opt), _empties($opt), _outlines($opt), _wide($opt), _geography($opt),
        _infinite($opt), _composite($opt), _cutoffs($opt));
}

# Defaults that most reports share.  The best peer is the reference.
sub _set {
    my ($key, $title, $rows, %more) = @_;
    $more{classes} = [ map { { group => 'reports', mode => 'index', expr => 'count(id)', digest => 'coalesce(sum(id), 0)', %$_ } } @{ $more{classes} } ];
    return { key => "report_$key", title => $title, rows => $rows, best => 1, %more };
}

sub _peers { my ($columns, @methods) = @_; return [ map { { name => $_, index => ["CREATE INDEX ON %t USING $_ ($columns)"] } } @methods ] }

sub _nearest {
    my ($what, $distance, $limit, $constants, %more) = @_;
    return {
        key => $what, title => "$limit nearest", expr => 'count(s.id)', constants => $constants,
        from => "(SELECT id FROM %t ORDER BY $distance LIMIT $limit) s", digest => 'round(sum(s.d)::numeric, 6)',
        digest_from => "(SELECT $distance AS d FROM %t ORDER BY $distance LIMIT $limit) s", %more,
    };
}

# All rows at one place.
sub _ties {
    my ($opt) = @_;
    my $rows = $opt->rows(100_000, 5_000);
    my $near = 'SELECT 5 + random() AS x, 5 + random() AS y FROM generate_series(1, 200)';
    my $at   = "SELECT 5.0::float8 AS x, 5.0::float8 AS y FROM generate_series(1, 100) UNION ALL ($near)";
    return (
        _set('ties_point', "$rows points at one place", $rows, base => ["CREATE TABLE report_ties_point_base AS SELECT g AS id, point(5, 5) AS p FROM generate_series(1, $rows) g"],
            peers => _peers('p', qw(xtree gist spgist)), classes => [ _nearest('first', 'p <-> q.p', 1, "SELECT point(x, y) AS p FROM ($at) c") ]),
        _set('ties_cube', "$rows cubes at one place", $rows, needs => ['xtree_cube'],
            base => ["CREATE TABLE report_ties_cube_base AS SELECT g AS id, cube(ARRAY[5, 5, 5]) AS c FROM generate_series(1, $rows) g"],
            peers => _peers('c', qw(xtree gist)), classes => [ _nearest('first', 'c <-> q.c', 1, "SELECT cube(ARRAY[x, y, 5]) AS c FROM ($at) c") ]),
        _set('ties_geometry', "$rows geometries at one place", $rows, needs => ['xtree_postgis'],
            base => ["CREATE TABLE report_ties_geometry_base AS SELECT g AS id, ST_MakePoint(5, 5) AS g FROM generate_series(1, $rows) g"],
            peers => _peers('g', qw(xtree gist)), classes => [
                _nearest('first', 'g <-> q.g', 1, "SELECT ST_MakePoint(x, y) AS g FROM ($at) c"),
                _nearest('first_box', 'g <#> q.g', 1, "SELECT ST_MakePoint(x, y) AS g FROM ($at) c", title => '1 nearest by boxes'),
            ]),
    );
}

# Hosts that carry the mask of their network.
sub _hosts {
    my ($opt) = @_;
    my $rows = $opt->rows(200_000, 5_000);
    my $host = "set_masklen(inet '10.0.0.0' + (random() * 16777215)::int8, 8)";
    return _set('hosts', "$rows hosts with the mask of their network", $rows, needs => ['btree_gist'],
        base  => ["CREATE TABLE report_hosts_base AS SELECT g AS id, $host AS h FROM generate_series(1, $rows) g"],
        peers => [
            { name => 'xtree',  index => ['CREATE INDEX ON %t USING xtree (h)'] },
            { name => 'gist',   index => ['CREATE INDEX ON %t USING gist (h inet_ops)'] },
            { name => 'spgist', index => ['CREATE INDEX ON %t USING spgist (h inet_ops)'] },
        ],
        classes => [ { key => 'equal', title => 'host = address', constants => 'SELECT h FROM report_hosts_base ORDER BY hashint4(id) LIMIT 500', from => '%t WHERE h = q.h' } ]);
}

# Ranges over types that have no built-in range.
sub _ranges {
    my ($opt) = @_;
    my $rows = $opt->rows(100_000, 5_000);
    my %from = (inet => "inet '10.0.0.0' + (random() * 16777215)::int8", text => "lpad((random() * 1e9)::int8::text, 12, '0')");
    my %upto = (inet => 'a + 200', text => "lpad((a::int8 + 1000)::text, 12, '0')");
    return map {
        my $type = $_;
        my $key  = "${type}range";
        _set($key, "$rows ranges over $type", $rows,
            base => [
                "DROP TYPE IF EXISTS bench_$key CASCADE",
                "CREATE TYPE bench_$key AS RANGE (subtype = $type)",
                "CREATE TABLE report_${key}_base AS SELECT id, bench_$key(a, $upto{$type}) AS r FROM (SELECT g AS id, $from{$type} AS a FROM generate_series(1, $rows) g) f",
            ],
            peers   => _peers('r', qw(xtree gist spgist)),
            classes => [ { key => 'stab', title => 'range @> value', constants => "SELECT lower(r) AS v FROM report_${key}_base ORDER BY hashint4(id) LIMIT 500", from => '%t WHERE r @> q.v' } ])
    } sort keys %from;
}

# Strings whose first bytes are equal.
sub _strings {
    my ($opt) = @_;
    my $rows = $opt->rows(100_000, 5_000);
    my %type = (text => 'text', char => 'char(20)');
    return map {
        my $key  = $_;
        my $type = $type{$key};
        my $some = "SELECT s, (substr(s, 1, 12) || lpad((substr(s, 13)::int8 + 10000)::text, 8, '0'))::$type AS t FROM report_${key}_base ORDER BY hashint4(id) LIMIT 500";
        _set($key, "$rows values of $type with 12 equal first bytes", $rows, needs => ['btree_gist'],
            base    => ["CREATE TABLE report_${key}_base AS SELECT g AS id, ('customer_no_' || lpad((random() * 1e7)::int8::text, 8, '0'))::$type AS s FROM generate_series(1, $rows) g"],
            peers   => _peers('s', qw(xtree gist btree)),
            beside  => 'gist',  # an index of many columns; a B-tree of one is shown beside it
            classes => [
                { key => 'equal', title => '=',     constants => $some, from => '%t WHERE s = q.s' },
                { key => 'range', title => 'range', constants => $some, from => '%t WHERE s BETWEEN q.s AND q.t' },
            ])
    } sort keys %type;
}

# Every second geometry is empty.
sub _empties {
    my ($opt) = @_;
    my $rows = $opt->rows(100_000, 5_000);
    return _set('empties', "$rows geometries, half of them empty", $rows, needs => ['xtree_postgis'],
        base => ["CREATE TABLE report_empties_base AS SELECT g AS id,
                  CASE WHEN g % 2 = 0 THEN 'POINT EMPTY'::geometry ELSE ST_MakePoint(random() * 1000, random() * 1000, random() * 1000) END AS g FROM generate_series(1, $rows) g"],
        peers => [
            { name => 'xtree', index => ['CREATE INDEX ON %t USING xtree (g geometry_ops_nd)'] },
            { name => 'gist',  index => ['CREATE INDEX ON %t USING gist (g gist_geometry_ops_nd)'] },
        ],
        classes => [ {
            key => 'window', title => 'window in space', from => '%t WHERE g &&& q.w',
            constants => 'SELECT ST_3DMakeBox(ST_MakePoint(x, y, z), ST_MakePoint(x + 100, y + 100, z + 100))::geometry AS w
                          FROM (SELECT random() * 900 AS x, random() * 900 AS y, random() * 900 AS z FROM generate_series(1, 200)) c',
        } ]);
}

# Polygons of 2,000 corners are stored out of line.
sub _outlines {
    my ($opt) = @_;
    my $rows    = $opt->rows(2_000, 500);
    my $points  = $opt->rows(100_000, 5_000);
    my $polygon = 'ST_Buffer(ST_MakePoint(random() * 1000, random() * 1000), 1 + random() * 5, 500)';
    return (
        _set('outlines', "$rows polygons of 2,000 corners", $rows, needs => ['xtree_postgis'], build => 1,
            base    => ["CREATE TABLE report_outlines_base AS SELECT g AS id, $polygon AS g FROM generate_series(1, $rows) g"],
            peers   => _peers('g', qw(xtree gist)),
            classes => [ { key => 'window', title => 'window', constants => 'SELECT ST_Expand(ST_MakePoint(random() * 1000, random() * 1000), 20) AS w FROM generate_series(1, 200)', from => '%t WHERE g && q.w' } ]),
        _set('arguments', "$points points, searched by polygons of 2,000 corners", $points, needs => ['xtree_postgis'],
            base => [
                "CREATE TABLE report_arguments_base AS SELECT g AS id, ST_MakePoint(random() * 1000, random() * 1000) AS g FROM generate_series(1, $points) g",
                'DROP TABLE IF EXISTS report_polygons',
                "CREATE TABLE report_polygons AS SELECT g AS id, $polygon AS g FROM generate_series(1, $rows) g",
                'VACUUM (ANALYZE) report_polygons',
            ],
            peers   => _peers('g', qw(xtree gist)),
            classes => [ {
                key => 'join', title => 'join of 20 polygons', expr => 'count(t.id)', digest => 'coalesce(sum(t.id), 0)',
                constants => "SELECT g * 20 AS first FROM generate_series(0, 19) g",
                from => 'report_polygons z, LATERAL (SELECT id FROM %t i WHERE i.g && z.g OFFSET 0) t WHERE z.id > q.first AND z.id <= q.first + 20',
            } ]),
    );
}

# Many dimensions: what the planner chooses, an index of its own accord.
sub _wide {
    my ($opt) = @_;
    my $rows   = $opt->rows(20_000, 5_000);
    my $values = 'ARRAY(SELECT random() FROM generate_series(1, %d) WHERE g = g)';
    my $some   = 'SELECT %s AS v FROM report_%s_base ORDER BY hashint4(id) LIMIT 200';
    my @chosen = (mode => 'any', title => 'window, as planned');
    my @cubes  = map {
        my $dims = $_;
        _set("cube$dims", "$rows cubes of $dims dimensions", $rows, needs => ['xtree_cube'],
            base  => ["CREATE TABLE report_cube${dims}_base AS SELECT g AS id, cube(" . sprintf($values, $dims) . ") AS c FROM generate_series(1, $rows) g"],
            peers => [ @{ _peers('c', qw(xtree gist)) }, { name => 'seqscan', index => [], mode => 'sequential' } ],
            classes => [ { key => 'window', @chosen, constants => sprintf($some, 'c', "cube$dims"), from => "%t WHERE c <@ cube_enlarge(q.v, 0.3, $dims)" } ])
    } 12, 24;
    my @vectors = map {
        my $dims = $_;
        _set("vector$dims", "$rows vectors of $dims dimensions", $rows,
            base  => ["CREATE TABLE report_vector${dims}_base AS SELECT g AS id, (" . sprintf($values, $dims) . ")::float4[] AS v FROM generate_series(1, $rows) g"],
            peers => [ @{ _peers('v', 'xtree') }, { name => 'seqscan', index => [], mode => 'sequential' } ],
            classes => [ {
                key => 'window', @chosen, from => '%t WHERE v <@ q.w',
                constants => "SELECT ROW(ARRAY(SELECT x - 0.3 FROM unnest(v) x)::float8[], ARRAY(SELECT x + 0.3 FROM unnest(v) x)::float8[])::xtree_window AS w FROM ("
                    . sprintf($some, 'v', "vector$dims") . ') s',
            } ])
    } 12, 24;
    return (@cubes, @vectors);
}

# An expression that makes a geography of a geometry.
sub _geography {
    my ($opt) = @_;
    my $rows = $opt->rows(100_000, 5_000);
    return _set('geography', "$rows places, indexed as geography by an expression", $rows, needs => ['xtree_postgis'],
        base    => ["CREATE TABLE report_geography_base AS SELECT g AS id, ST_SetSRID(ST_MakePoint(random() * 20, 40 + random() * 15), 4326) AS g FROM generate_series(1, $rows) g"],
        peers   => _peers('(g::geography)', qw(xtree gist)),
        classes => [ {
            key => 'window', title => 'window', from => '%t WHERE g::geography && q.w',
            constants => 'SELECT ST_Expand(ST_SetSRID(ST_MakePoint(random() * 20, 40 + random() * 15), 4326), 0.3)::geography AS w FROM generate_series(1, 500)',
        } ]);
}

# A domain over ranges of time, of which some end at infinity.
sub _infinite {
    my ($opt) = @_;
    my $rows = $opt->rows(100_000, 5_000);
    return _set('infinite', "$rows times of a domain, of which some end at infinity", $rows,
        base => [
            'DROP DOMAIN IF EXISTS bench_stay CASCADE',
            'CREATE DOMAIN bench_stay AS tstzrange CHECK (NOT isempty(VALUE))',
            "CREATE TABLE report_infinite_base AS SELECT id, tstzrange(t, CASE WHEN id % 100 = 0 THEN 'infinity' ELSE t + interval '3 days' END)::bench_stay AS r
             FROM (SELECT g AS id, timestamptz '2020-01-01 00:00+00' + random() * interval '3650 days' AS t FROM generate_series(1, $rows) g) s",
        ],
        peers   => _peers('r', qw(xtree gist)),
        classes => [ {
            key => 'week', title => 'a week', from => '%t WHERE r && q.w',
            constants => "SELECT tstzrange(t, t + interval '7 days') AS w FROM (SELECT timestamptz '2020-01-01 00:00+00' + random() * interval '200 days' AS t FROM generate_series(1, 200)) s",
        } ]);
}

# Nearest by one column of three.
sub _composite {
    my ($opt) = @_;
    my $rows = $opt->rows(100_000, 5_000);
    return _set('composite', "$rows rows of a cube, a range and a time", $rows, needs => [qw(xtree_cube btree_gist)],
        base => ["CREATE TABLE report_composite_base AS SELECT g AS id, cube(ARRAY[random() * 100, random() * 100, random() * 100]) AS c,
                  int4range(g, g + 10) AS r, timestamp '2020-01-01' + random() * interval '3650 days' AS t FROM generate_series(1, $rows) g"],
        peers   => _peers('c, r, t', qw(xtree gist)),
        classes => [ _nearest('nearest', 'c <-> q.c', 10, 'SELECT cube(ARRAY[random() * 100, random() * 100, random() * 100]) AS c FROM generate_series(1, 100)') ]);
}

# The nearest within a distance; GiST is asked in the way that is good for it.
sub _cutoffs {
    my ($opt) = @_;
    my $rows = $opt->rows(100_000, 5_000);
    my $cut  = sub {
        my ($column, $within) = @_;
        my $order = "ORDER BY $column <-> q.p LIMIT 10";
        return _nearest('cutoff', "$column <-> q.p", 10, "SELECT $within->{point} AS p FROM (SELECT random() * 1000 AS x, random() * 1000 AS y FROM generate_series(1, 500)) s",
            title => '10 nearest within a distance',
            from  => "(SELECT id FROM %t WHERE $column <-> q.p < 2 $order) s", digest_from => "(SELECT $column <-> q.p AS d FROM %t WHERE $column <-> q.p < 2 $order) s",
            digest => 'round(coalesce(sum(s.d), 0)::numeric, 6)',
            own => { gist => { from => "(SELECT id FROM %t WHERE $within->{gist} $order) s" } });
    };
    return (
        _set('cutoff_point', "$rows points", $rows, base => ["CREATE TABLE report_cutoff_point_base AS SELECT g AS id, point(random() * 1000, random() * 1000) AS p FROM generate_series(1, $rows) g"],
            peers => _peers('p', qw(xtree gist)), classes => [ $cut->('p', { point => 'point(x, y)', gist => 'p <@ circle(q.p, 2)' }) ]),
        _set('cutoff_geometry', "$rows geometries", $rows, needs => ['xtree_postgis'],
            base => ["CREATE TABLE report_cutoff_geometry_base AS SELECT g AS id, ST_MakePoint(random() * 1000, random() * 1000) AS g FROM generate_series(1, $rows) g"],
            peers => _peers('g', qw(xtree gist)), classes => [ $cut->('g', { point => 'ST_MakePoint(x, y)', gist => 'ST_DWithin(g, q.p, 2)' }) ]),
    );
}

1;
