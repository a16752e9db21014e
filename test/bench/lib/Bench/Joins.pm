# Joins of two tables by overlap: xtree with joins of two trees and without, beside gist and spgist, each with the plan that the planner chooses for it.
# Answers must be equal. One process, the clock of --clock; Boost's
# R-tree in memory, where it has the operator, by the processor's time.
package Bench::Joins;
use strict;
use warnings;
use Bench::BoostJoin;
use Bench::Data::Cities;
use Bench::Ratios;
use Bench::Stats qw(median);
use Bench::Text qw(table number);

my $ROUNDS = 3;
my @WAYS   = (
    { name => 'tree join', method => 'xtree',  set => { 'xtree.enable_lookup_join' => 'off' }, wants => qr/XtreeJoin/ },
    { name => '2 processes', method => 'xtree', set => { 'xtree.enable_lookup_join' => 'off', max_parallel_workers_per_gather => 1, parallel_setup_cost => 0, parallel_tuple_cost => 0, min_parallel_table_scan_size => 0,
        min_parallel_index_scan_size => 0 }, wants => qr/Parallel Custom Scan \(XtreeJoin/ },
    { name => 'chosen',    method => 'xtree',  set => {} },
    { name => 'lookups',   method => 'xtree',  set => { 'xtree.enable_tree_join' => 'off' }, wants => qr/XtreeLookupJoin/ },
    { name => 'xtree',     method => 'xtree',  set => { 'xtree.enable_tree_join' => 'off', 'xtree.enable_lookup_join' => 'off' } },
    { name => 'gist',      method => 'gist',   set => {} },
    { name => 'spgist',    method => 'spgist', set => {} },
);

# `l` and `r` make the tables, `on` joins them. rows: of each, at scale 1. target: of the best of the others.
sub _cases {
    my ($opt, $db) = @_;
    my $n      = sub { return $opt->rows(@_) };
    my $random = sub { my ($side, $extent, $rows) = @_; return "SELECT g AS id, box(point(x, y), point(x + random() * $extent, y + random() * $extent)) AS k
        FROM (SELECT g, random() * $side AS x, random() * $side AS y FROM generate_series(1, $rows) g) c" };
    my $boxes  = $n->(1_000_000, 20_000);
    my $points = $n->(1_000_000, 20_000);
    my $areas  = $n->(100_000,   2_000);
    my $ranges = $n->(300_000,   6_000);
    my $side   = 1000 * sqrt($boxes / 1_000_000);
    my @cases  = (
        { name => 'boxes with boxes', l => $random->($side, 1.2, $boxes), r => $random->($side, 1.2, $boxes), on => 'l.k && r.k', target => 0.4, boost => ['pairs', 'box', 'box'] },
        { name => 'boxes with boxes, count', l => $random->($side, 1.2, $boxes), r => $random->($side, 1.2, $boxes), on => 'l.k && r.k', target => 0.2, sum => 'NULL', boost => ['pairs', 'box', 'box'] },
        { name => 'points in areas', l => $random->($side, 4, $areas), on => 'r.k <@ l.k', target => 0.4, boost => ['pairs', 'box', 'point'],
          r => "SELECT g AS id, point(random() * $side, random() * $side) AS k FROM generate_series(1, $points) g" },
        { name => 'ranges with themselves', on => 'l.k && r.k AND l.id < r.id', target => 0.4, same => 1,
          l => "SELECT g AS id, int8range(a, a + 1 + (random() * 3000)::int8) AS k FROM (SELECT g, (random() * 1e3 * $ranges)::int8 AS a FROM generate_series(1, $ranges) g) c" },
        { name => 'points within a distance', on => 'l.k <-> r.k < 1', target => 0.4, same => 1, only => [qw(xtree)], boost => ['within 1', 'point', 'point'],
          l => "SELECT g AS id, point(random() * $side, random() * $side) AS k FROM generate_series(1, $ranges) g" },
    );
    push @cases, { name => 'cities in boxes of countries', on => 'r.k <@ l.k', target => 0.4, boost => ['pairs', 'box', 'point'],
        l => 'SELECT row_number() OVER (ORDER BY country)::int AS id, box(point(min(lon), min(lat)), point(max(lon), max(lat))) AS k FROM cities_csv GROUP BY country',
        r => 'SELECT city_id AS id, point(lon, lat) AS k FROM cities_csv' };
    my $lookups = $n->(100_000, 2_000);
    push @cases, { name => 'rows of a function in boxes', l => "SELECT g AS id, point(random() * $side, random() * $side) AS k FROM generate_series(1, $lookups) g",
        r => $random->($side, 1.2, $boxes), on => 'r.k && box(l.k, l.k)', target => 0.7, one_sided => 1 };
    my $near = { l => "SELECT g AS id, point(random() * $side, random() * $side) AS k FROM generate_series(1, $lookups) g",
        r => "SELECT g AS id, point(random() * $side, random() * $side) AS k FROM generate_series(1, $points) g", one_sided => 1, boost => ['nearest 3', 'point', 'point'] };
    push @cases, { %$near, name => 'the 3 nearest', nearest => 'r.id', target => 0.4 },
        { %$near, name => 'distances of the 3 nearest', nearest => '((r.k <-> l.k) * 1e6)::int8 AS id', target => 0.4 };
    push @cases, { name => 'PostGIS: ST_Intersects', on => 'ST_Intersects(l.k, r.k)', target => 0.8, postgis => 1,
        l => 'SELECT g AS id, ST_Buffer(ST_MakePoint(random() * 1000, random() * 1000), 0.5 + random() * 2, 4) AS k FROM generate_series(1, ' . $n->(20_000, 1_000) . ') g',
        r => 'SELECT g AS id, ST_MakeLine(ST_MakePoint(x, y), ST_MakePoint(x + random() * 2, y + random() * 2)) AS k FROM (SELECT g, random() * 1000 AS x, random() * 1000 AS y FROM generate_series(1, '
            . $n->(200_000, 10_000) . ') g) c' } if $db->value(q{SELECT count(*) FROM pg_available_extensions WHERE name = 'postgis'});
    return @cases;
}

sub run {
    my ($db, $opt) = @_;
    my @cases = _cases($opt, $db);
    $db->do("SET client_min_messages = error");
    $db->do('CREATE EXTENSION IF NOT EXISTS xtree_postgis CASCADE') if grep { $_->{postgis} } @cases;
    $db->do(q{CREATE OR REPLACE FUNCTION bench_explain(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY EXECUTE 'EXPLAIN (COSTS OFF) ' || query; END $$});
    $db->do('CREATE TABLE cities_csv (city_id int, name text, country text, lon float8, lat float8, population int8)');
    Bench::Data::Cities::copy_file($db);
    my $no_boost = Bench::BoostJoin::why_not();
    print "Boost's R-tree is not measured: $no_boost\n" if $no_boost;
    my (%figures, @rows, @targets);
    for my $case (@cases) {
        delete $case->{boost} if $no_boost;
        my $one = $figures{ $case->{name} } = _measure($db, $case);
        push @rows, [ $case->{name}, $one->{rows}, map { defined $one->{us}{ $_->{name} } ? number($one->{us}{ $_->{name} } / 1000) : '-' } @WAYS, { name => 'Boost' } ];
        my ($best) = sort { $one->{us}{$a} <=> $one->{us}{$b} } grep { defined $one->{us}{$_} } qw(xtree gist spgist);
        my $ours = $case->{one_sided} ? 'lookups' : 'tree join';
        push @targets, Bench::Ratios::target("joins: $case->{name}, us", $best, $one->{us}{$ours}, $one->{us}{$best}, $case->{target});
        push @targets, Bench::Ratios::target("joins: $case->{name}, us", '1 process', $one->{us}{'2 processes'}, $one->{us}{'tree join'}, 0.6)
            if !$case->{one_sided};
        push @targets, Bench::Ratios::target("joins: $case->{name}, us", 'Boost', $one->{us}{$ours}, $one->{us}{Boost}, 5) if $case->{boost};
    }
    $db->do('DROP TABLE cities_csv');
    table("Joins by overlap, ms (median of $ROUNDS)", 1, [ 'join', 'pairs', (map { $_->{name} } @WAYS), 'Boost' ], @rows);
    return { figures => \%figures, targets => \@targets };
}

sub _measure {
    my ($db, $case) = @_;
    $db->seed(0.41);
    $db->do("CREATE TABLE join_base_l AS $case->{l}");
    $db->do("CREATE TABLE join_base_r AS " . ($case->{same} ? 'TABLE join_base_l' : $case->{r}));
    for my $method (qw(xtree gist spgist)) {
        for my $table (qw(l r)) {
            $db->do("CREATE TABLE join_${table}_$method AS TABLE join_base_$table");
            $db->do("CREATE INDEX ON join_${table}_$method USING $method (k)");
            $db->do("VACUUM (ANALYZE) join_${table}_$method");
        }
    }
    my (%us, %answer, $rows);
    for my $round (1 .. $ROUNDS) {
        for my $way (@WAYS) {
            next if $case->{one_sided} && $way->{name} =~ /^(?:tree join|2 processes)$/;
            next if $case->{only} && !grep { $_ eq $way->{method} } @{ $case->{only} };
            my ($us, $count, $digest) = _time($db, $case, $way);
            push @{ $us{ $way->{name} } }, $us;
            $answer{ join ' ', $count, $digest // () } = 1;
            $rows = $count;
        }
    }
    if (my ($mode, @types) = @{ $case->{boost} // [] }) {
        my @sides = map { [ "join_base_$_", shift @types ] } qw(l r);
        my @found = map { [ Bench::BoostJoin::measure($db, $mode, @sides) ] } 1 .. $ROUNDS;
        # Boxes that are 1e-6 apart overlap in PostgreSQL.
        $answer{"$found[0][0] by Boost"} = 1 if abs($found[0][0] - $rows) > 1e-4 * $rows;
        $us{Boost} = [ map { $_->[1] } @found ];
    }
    $db->differ("joins, $case->{name}: " . join ' and ', sort keys %answer) if keys %answer > 1;
    for my $table (qw(l r)) {
        $db->do("DROP TABLE join_${table}_$_") for qw(xtree gist spgist);
        $db->do("DROP TABLE join_base_$table");
    }
    return { rows => $rows, us => { map { $_ => median(@{ $us{$_} }) } keys %us } };
}

# Microseconds, the number of pairs, and a sum over them.
sub _time {
    my ($db, $case, $way) = @_;
    my %set = (enable_hashjoin => 'on', enable_mergejoin => 'on', enable_nestloop => 'on', enable_seqscan => 'on', 'xtree.enable_tree_join' => 'on', 'xtree.enable_lookup_join' => 'on', %{ $way->{set} });
    my $wants = $case->{nearest} && $way->{name} eq 'lookups' ? qr/XtreeNearestJoin/ : $way->{wants};
    @set{qw(enable_hashjoin enable_mergejoin enable_nestloop)} = ('off') x 3 if $wants;
    $db->do("SET $_ = $set{$_}") for sort keys %set;
    # Rows that come from a function are in no index.
    my $left = $case->{one_sided} ? "(SELECT * FROM join_l_$way->{method} OFFSET 0) l" : "join_l_$way->{method} l";
    my $sql  = "SELECT count(*), " . ($case->{sum} // 'sum(l.id::int8 * 7 + r.id)') . " FROM $left "
        . ($case->{nearest} ? "CROSS JOIN LATERAL (SELECT $case->{nearest} FROM join_r_$way->{method} r ORDER BY r.k <-> l.k LIMIT 3) r" : "JOIN join_r_$way->{method} r ON $case->{on}");
    my $plan = $db->value("SELECT string_agg(line, ' ') FROM bench_explain(\$\$$sql\$\$) line");
    die "joins: $case->{name}, $way->{name}: not the plan that is to be measured: $plan\n" if $wants && $plan !~ $wants;
    my $clock = $way->{name} =~ /processes/ ? sub { $db->value('SELECT extract(epoch FROM clock_timestamp()) * 1e6') } : sub { $db->clock };
    my $start = $clock->();
    my @row   = $db->row($sql);
    my $us    = $clock->() - $start;
    $db->do("RESET $_") for sort keys %set;
    $db->do('SET max_parallel_workers_per_gather = 0');
    return ($us, @row);
}

1;
