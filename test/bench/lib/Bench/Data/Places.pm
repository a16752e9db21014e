# The cities of data/cities.csv.gz as points and areas of PostGIS.  Pure description; see
# Bench::Data for the fields.
package Bench::Data::Places;
use strict;
use warnings;
use Bench::Data::Cities;

sub describe {
    my ($class, $opt) = @_;
    my $cities = Bench::Data::Cities->describe($opt);
    return (_set('places', 'points', 'ST_MakePoint(lon, lat)', $cities),
        _set('zones', 'areas', 'ST_Buffer(ST_MakePoint(lon, lat), least(2, 0.01 + sqrt(population) * 0.001), 4)', $cities));
}

sub _set {
    my ($key, $what, $geometry, $cities) = @_;
    return {
        key => $key, title => "$cities->{rows} PostGIS $what of cities", rows => $cities->{rows}, needs => ['xtree_postgis'],
        base => [
            'CREATE TABLE cities_csv (city_id int, name text, country text, lon float8, lat float8, population int8)',
            \&Bench::Data::Cities::copy_file,
            "CREATE TABLE ${key}_base AS SELECT city_id AS id, $geometry AS g
             FROM (SELECT * FROM cities_csv ORDER BY hashint4(city_id), city_id LIMIT $cities->{rows}) c",
            'DROP TABLE cities_csv',
        ],
        peers   => [ map { { name => $_, index => ["CREATE INDEX ON %t USING $_ (g)"] } } qw(xtree gist) ],
        classes => [ _classes($key) ],
    };
}

sub _classes {
    my ($key) = @_;
    my $near = "SELECT ST_MakePoint(ST_X(p) + random() - 0.5, ST_Y(p) + random() - 0.5) AS p
                FROM (SELECT ST_Centroid(g) AS p FROM ${key}_base ORDER BY random() LIMIT 1000) c";
    return (
        {
            key => 'nearest', group => 'knn', title => '10 nearest', mode => 'index', expr => 'count(s.id)', constants => $near,
            from => '(SELECT id FROM %t ORDER BY g <-> q.p LIMIT 10) s',
            digest => 'round(sum(s.d)::numeric, 6)', digest_from => '(SELECT g <-> q.p AS d FROM %t ORDER BY g <-> q.p LIMIT 10) s',
        },
        {
            key => 'window', group => 'window', title => 'g && window, ~100 rows', mode => 'index', expr => 'count(id)',
            constants => "SELECT ST_Expand(p, 0.8) AS w FROM ($near) n", from => '%t WHERE g && q.w', digest => 'coalesce(sum(id), 0)',
        },
        {
            key => 'within', group => 'window', title => 'ST_DWithin', mode => 'index', expr => 'count(id)', constants => $near,
            from => '%t WHERE ST_DWithin(g, q.p, 0.5)', digest => 'coalesce(sum(id), 0)',
        },
    );
}

1;
