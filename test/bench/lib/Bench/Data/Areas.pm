# Boxes around the cities of data/cities.csv.gz, from villages of a kilometre to capitals of
# a hundred, which overlap as cities do.  Pure description; see Bench::Data for the fields.
package Bench::Data::Areas;
use strict;
use warnings;
use Bench::Data::Cities;
use Bench::Data::Geometry qw(nearest);

sub describe {
    my ($class, $opt) = @_;
    my $cities = Bench::Data::Cities->describe($opt);
    # Degrees, on a grid of 1/1024.
    my $half = 'round(least(2, 0.01 + sqrt(population) * 0.001) * 1024) / 1024';
    my ($lon, $lat) = map { "round(($_)::numeric * 1024)::float8 / 1024" } qw(lon lat);
    return {
        key => 'areas', title => "$cities->{rows} areas of cities", rows => $cities->{rows},
        base => [
            'CREATE TABLE cities_csv (city_id int, name text, country text, lon float8, lat float8, population int8)',
            \&Bench::Data::Cities::copy_file,
            "CREATE TABLE areas_base AS SELECT id, box(point(x - h, y - h), point(x + h, y + h)) AS b
             FROM (SELECT city_id AS id, $lon AS x, $lat AS y, $half AS h FROM cities_csv ORDER BY hashint4(city_id), city_id LIMIT $cities->{rows}) c",
            'DROP TABLE cities_csv',
        ],
        peers   => [ map { { name => $_, index => ["CREATE INDEX ON %t USING $_ (b)"] } } qw(xtree gist spgist) ],
        classes => [
            _search('@>', 'contains', 'areas that contain a small box', 'h * 0.01'),
            _search('&&', 'overlap', 'areas that meet a window, ~100 rows', '0.8'),
            nearest('b', 10, constants => _somewhere('2000', 'point(x, y) AS p')),
        ],
    };
}

# Near a random city: its center, moved by up to half of its box, and its half side h.
sub _somewhere {
    my ($count, $what) = @_;
    return "SELECT $what FROM (SELECT (center(b))[0] + (random() - 0.5) * width(b) / 2 AS x, (center(b))[1] + (random() - 0.5) * width(b) / 2 AS y,
              width(b) / 2 AS h FROM (SELECT b FROM areas_base ORDER BY random() LIMIT $count) r) c";
}

sub _search {
    my ($operator, $key, $title, $half) = @_;
    return {
        key => $key, group => 'window', title => $title, mode => 'index', expr => 'count(id)',
        constants => _somewhere(2000, "box(point(x - $half, y - $half), point(x + $half, y + $half)) AS w"),
        from => "%t WHERE b $operator q.w", digest => 'coalesce(sum(id), 0)',
    };
}

1;
