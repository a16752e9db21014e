# The tables of the part `plans`.  Everything lies around the same forty centers, some of which have many rows and some
# few, so that windows hold more or less than a share of the area says.  Beside xtree's indexes stand GiST's and
# B-trees where the planner is to have a choice.  Fixed seeds, and rows in the order of their ids.
package Bench::Plans::Tables;
use strict;
use warnings;

my $CENTERS    = 40;
my @DIMENSIONS = (4, 8, 24);

# Makes all tables whose extensions are there.  Returns their names with the number of rows.
sub make {
    my ($db, $opt) = @_;
    my %missing = map { $_ => scalar $db->cannot_install($_) } qw(xtree_cube xtree_postgis);
    print "\nplans: without the queries that need $_: $missing{$_}\n" for grep { $missing{$_} } sort keys %missing;
    my (%rows, $number);
    for my $table (_centers(), _all($opt)) {
        my $seed = ++$number / 100;    # of its own, also where a table before it is missing
        next if $table->{needs} && $missing{ $table->{needs} };
        $db->seed($seed);
        $db->do("CREATE TABLE plans_$table->{name} AS $table->{select}");
        $db->do($_) for map { _index($table, $_) } sort keys %{ $table->{indexes} };
        $db->do("VACUUM (ANALYZE) plans_$table->{name}");
        $rows{"plans_$table->{name}"} = $db->value("SELECT count(*) FROM plans_$table->{name}");
    }
    return \%rows;
}

sub drop { my ($db, $rows) = @_; $db->do('DROP TABLE ' . join ', ', sort keys %$rows); return }

# An index `x` of the table `t` is named t_x; after `x` an access method and the rest.
sub _index {
    my ($table, $name) = @_;
    return "CREATE INDEX plans_$table->{name}_$name ON plans_$table->{name} USING $table->{indexes}{$name}";
}

sub _centers {
    my $place = '100 + 800 * random() AS x, 100 + 800 * random() AS y, 2 + 30 * random() AS sd';
    my @plane = { name => 'centers', indexes => {}, select => "SELECT g AS k, $place FROM generate_series(1, $CENTERS) g" };
    my @space = map { { name => "centers$_", indexes => {},
        select => "SELECT g AS k, ARRAY(SELECT 100 * random() FROM generate_series(1, $_) WHERE g = g) AS x
                     FROM generate_series(1, $CENTERS) g" } } @DIMENSIONS;
    return (@plane, @space);
}

# Rows around centers, of which the k-th has about 1/k as many as the first.  px and py are normally distributed around the
# center, n is a normally distributed number and u a uniform one.
sub _scattered {
    my ($rows, $columns) = @_;
    return <<"SQL";
SELECT id, $columns
  FROM (SELECT id, k, x + sd * r * cos(a) AS px, y + sd * r * sin(a) AS py, n, u
          FROM (SELECT g AS id, floor(($CENTERS + 1) ^ random())::int AS k, sqrt(-2 * ln(1 - random())) AS r, 2 * pi() * random() AS a,
                       sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random()) AS n, random() AS u
                  FROM generate_series(1, $rows) g) drawn
          JOIN plans_centers USING (k)) scattered
 ORDER BY id
SQL
}

sub _all {
    my ($opt) = @_;
    return (_points($opt), _boxes($opt), _ranges($opt), _visits($opt), (map { _vectors($opt, $_) } @DIMENSIONS), _geometries($opt));
}

# Clusters, with an index that also returns the id; a few of the same points, for joins; and points along a line.
sub _points {
    my ($opt) = @_;
    my $rows = $opt->rows(500_000, 10_000);
    my $along = 'SELECT id, x, x + 5 * n AS y, point(x, x + 5 * n) AS p FROM (' . _scattered($rows, '1000 * u AS x, n') . ') s ORDER BY id';
    return (
        { name => 'skewed', select => _scattered($rows, 'point(px, py) AS p'),
          indexes => { xtree => 'xtree (p) INCLUDE (id)', gist => 'gist (p) INCLUDE (id)' } },
        { name => 'spots', select => 'SELECT id, p FROM plans_skewed WHERE id <= 300', indexes => {} },
        { name => 'line', select => $along,
          indexes => { xtree => 'xtree (p)', gist => 'gist (p)', xtree_xy => 'xtree (x, y)', map { $_ => "btree ($_)" } qw(x y id) } },
    );
}

# Of very different sizes, which overlap.
sub _boxes {
    my ($opt) = @_;
    my $rows = $opt->rows(10_000, 2_000);
    my $box  = 'box(point(px - 0.5 * exp(n), py - exp(n - u)), point(px + 0.5 * exp(n), py + exp(n - u))) AS b';
    return map { { name => "boxes_$_", select => _scattered($rows, $box), indexes => { xtree => 'xtree (b)', gist => 'gist (b)' } } } qw(a b);
}

sub _ranges {
    my ($opt) = @_;
    my $rows   = $opt->rows(20_000, 2_000);
    my $drawn  = _scattered($rows, q{(1000 * px)::int AS f, 1 + (50 * exp(1.5 * n))::int AS minutes, timestamp '2024-01-01' AS day});
    my $during = q{tsrange(day + f * interval '1 minute', day + (f + minutes) * interval '1 minute') AS during};
    my $select = "SELECT id, int4range(f, f + minutes) AS r, $during FROM ($drawn) s ORDER BY id";
    my %index  = (r_xtree => 'xtree (r)', r_gist => 'gist (r)', d_xtree => 'xtree (during)', d_gist => 'gist (during)');
    return map { { name => "ranges_$_", select => $select, indexes => \%index } } qw(a b);
}

# Where, of which kind, when: nine in ten are of their center's kind, and each center has its week.  Kind 0 is rare.
sub _visits {
    my ($opt) = @_;
    my $rows = $opt->rows(200_000, 10_000);
    my $kind = "CASE WHEN id % 10000 = 1 THEN 0 WHEN u < 0.9 THEN k ELSE 1 + (id % $CENTERS) END AS kind";
    my $at   = q{timestamp '2024-01-01' + (7 * k + 3 * n) * interval '1 day' AS at};
    return { name => 'visits', select => _scattered($rows, "point(px, py) AS p, $kind, $at"),
        indexes => { xtree => 'xtree (p, kind, at)', gist => 'gist (p)', kind_at => 'btree (kind, at)', at => 'btree (at)', id => 'btree (id)' } };
}

# The sum of three uniform numbers is close enough to a normal one.
sub _vectors {
    my ($opt, $dims) = @_;
    my $rows   = $opt->rows(50_000, 5_000);
    my $vector = 'ARRAY(SELECT c + 8 * (random() + random() + random() - 1.5) FROM unnest(x) WITH ORDINALITY e(c, i) WHERE id = id ORDER BY i)';
    my $k      = "floor(($CENTERS + 1) ^ (id * 0.6180339887 % 1)::float8)::int";
    return (
        { name => "vectors$dims", indexes => { xtree => 'xtree (v)' },
          select => "SELECT id, $vector AS v FROM generate_series(1, $rows) id JOIN plans_centers$dims ON k = $k ORDER BY id" },
        { name => "cubes$dims", select => "SELECT id, cube(v) AS c FROM plans_vectors$dims ORDER BY id", needs => 'xtree_cube',
          indexes => { xtree => 'xtree (c)', gist => 'gist (c)' } },
    );
}

sub _geometries {
    my ($opt) = @_;
    my $rows  = $opt->rows(50_000, 5_000);
    my %index = (xtree => 'xtree (g)', gist => 'gist (g)');
    my $area  = 'ST_Buffer(ST_MakePoint(px, py), 0.2 * exp(n), 4) AS g';
    return (
        { name => 'places', select => _scattered($rows, 'ST_MakePoint(px, py) AS g'), needs => 'xtree_postgis', indexes => \%index },
        { name => 'areas', select => _scattered($rows, $area), needs => 'xtree_postgis', indexes => \%index },
    );
}

1;
