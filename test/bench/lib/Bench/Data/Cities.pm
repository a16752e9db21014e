# The 135,233 populated places of data/cities.csv.gz: clustered, with duplicates.
# Pure description (see Bench::Data for the fields) and the loader of the file.
package Bench::Data::Cities;
use strict;
use warnings;
use File::Basename qw(dirname);
use IO::Uncompress::Gunzip qw($GunzipError);
use Bench::Data::Geometry qw(point_peers window nearest);

my $FILE = dirname(__FILE__) . '/../../../../../data/cities.csv.gz';
my $ALL  = 135_233;

sub describe {
    my ($class, $opt) = @_;
    my $rows = $opt->rows($ALL, 20_000);
    $rows = $ALL if $rows > $ALL;
    return {
        key => 'cities', title => "$rows cities", rows => $rows,
        base => [
            'CREATE TABLE cities_csv (city_id int, name text, country text, lon float8, lat float8, population int8)',
            \&copy_file,
            "CREATE TABLE cities_base AS SELECT city_id AS id, point(lon, lat) AS p
             FROM cities_csv ORDER BY hashint4(city_id), city_id LIMIT $rows",
            'DROP TABLE cities_csv',
            # For the size of the query windows only; the scans of the base table that verify answers are sequential.
            'CREATE INDEX ON cities_base USING gist (p)',
        ],
        peers   => [ point_peers('cities_base') ],
        classes => [ _classes() ],
    };
}

sub copy_file {
    my ($db) = @_;
    my $in = IO::Uncompress::Gunzip->new($FILE) or die "$FILE: $GunzipError\n";
    $db->do('COPY cities_csv FROM STDIN WITH (FORMAT csv, HEADER)');
    while (defined(my $line = $in->getline)) { $db->{dbh}->pg_putcopydata($line) }
    $db->{dbh}->pg_putcopyend;
    return;
}

# Squares around random cities, as large as the distance to the hits-th neighbour asks for.
sub _squares {
    my ($hits, $count) = @_;
    my $skip = $hits - 1;
    return "SELECT box(point(c.p[0] - h, c.p[1] - h), point(c.p[0] + h, c.p[1] + h)) AS w
            FROM (SELECT p FROM cities_base ORDER BY random() LIMIT $count) c,
                 LATERAL (SELECT 0.886 * (n.p <-> c.p) AS h FROM cities_base n ORDER BY n.p <-> c.p
                          OFFSET $skip LIMIT 1) f";
}

sub _classes {
    my $near = "SELECT point(p[0] + random() - 0.5, p[1] + random() - 0.5) AS p
                FROM (SELECT p FROM cities_base ORDER BY random() LIMIT 2000) c";
    return (
        nearest('p', 10, constants => $near),
        window(key => 'w1',    title => 'window ~1 row, index-only',     constants => _squares(2, 4000)),
        window(key => 'w100',  title => 'window ~100 rows, index-only',  constants => _squares(100, 2000)),
        window(key => 'w100h', title => 'window ~100 rows, bitmap heap', constants => _squares(100, 1000),
               mode => 'bitmap', expr => 'count(id)'),
    );
}

1;
