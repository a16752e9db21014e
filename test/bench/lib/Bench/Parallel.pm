# Large scans by one process and by two: a window of half of all points with rows from the heap, the same by an index-only scan, and the nearest tenth in
# order. Beside gist, which scans with one process only, and the table. Wall clock, since it is the time of two processes; on an idle machine with two
# processors.
package Bench::Parallel;
use strict;
use warnings;
use Bench::Ratios;
use Bench::Stats qw(median);
use Bench::Text qw(table number);

my $SIDE = 1000;
my %OFF = map { $_ => 'off' } qw(enable_seqscan enable_bitmapscan enable_indexscan enable_indexonlyscan enable_sort);

# Each is checked by count and sum, whatever the plan.
my @QUERIES = (
    { name => 'window of half',             sql => 'SELECT count(*), sum(id) FROM %s WHERE p <@ box(point(0,0), point(707,707))',                       on => 'enable_indexscan' },
    { name => 'window of half, index only', sql => 'SELECT count(p) FROM %s WHERE p <@ box(point(0,0), point(707,707))',  on => 'enable_indexonlyscan' },
    { name => 'nearest tenth, sorted',      sql => 'SELECT count(*), sum(id) FROM (SELECT id FROM %s ORDER BY p <-> point(500,500) LIMIT %d) s',         on => 'enable_indexscan' },
);
my @WAYS = (
    { name => 'xtree, 1 process',   table => 'parallel_xtree', workers => 0 },
    { name => 'xtree, 2 processes', table => 'parallel_xtree', workers => 1 },
    { name => 'gist',               table => 'parallel_gist',  workers => 1 },
    { name => 'table, 2 processes', table => 'parallel_xtree', workers => 1, sequential => 1 },
);

sub run {
    my ($db, $opt) = @_;
    my $rows = $opt->rows(1_000_000, 50_000);
    for (['parallel_xtree', 'xtree'], ['parallel_gist', 'gist']) {
        my ($name, $method) = @$_;
        $db->seed(0.37);
        $db->do("CREATE TABLE $name AS SELECT g AS id, point(random() * $SIDE, random() * $SIDE) AS p FROM generate_series(1, $rows) g");
        $db->do("CREATE INDEX ${name}_i ON $name USING $method (p)");
        $db->do("VACUUM (ANALYZE) $name");
    }
    $db->do(q{CREATE OR REPLACE FUNCTION bench_explain(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY EXECUTE 'EXPLAIN (COSTS OFF) ' || query; END $$});
    my %us;
    for my $round (1 .. $opt->{rounds}) {
        for my $query (@QUERIES) {
            my %answer;
            for my $way (@WAYS) {
                my ($us, $answer) = _time($db, $query, $way, $rows);
                push @{ $us{ $query->{name} }{ $way->{name} } }, $us;
                $answer{$answer} = 1;
            }
            $db->differ("parallel, $query->{name}: " . join ' and ', sort keys %answer) if keys %answer > 1;
        }
    }
    $db->do("DROP TABLE $_") for 'parallel_xtree', 'parallel_gist';
    $db->do("RESET $_") for keys %OFF, qw(parallel_setup_cost parallel_tuple_cost min_parallel_table_scan_size min_parallel_index_scan_size cpu_tuple_cost);
    $db->do('SET max_parallel_workers_per_gather = 0');
    my %median = map { my $q = $_; $q => { map { $_ => median(@{ $us{$q}{$_} }) } keys %{ $us{$q} } } } keys %us;
    table("Large scans of $rows points, ms (median of $opt->{rounds})", 1, [ 'query', map { $_->{name} } @WAYS ],
        map { my $q = $_->{name}; [ $q, map { number($median{$q}{ $_->{name} } / 1000) } @WAYS ] } @QUERIES);
    return { figures => \%median, targets => [ map {
        Bench::Ratios::target("parallel: $_->{name}, us", '1 process', $median{ $_->{name} }{'xtree, 2 processes'}, $median{ $_->{name} }{'xtree, 1 process'}, 0.6) } @QUERIES ] };
}

# Microseconds, and the answer.
sub _time {
    my ($db, $query, $way, $rows) = @_;
    my %set = %OFF;
    $way->{sequential} ? @set{qw(enable_seqscan enable_sort)} = ('on') x 2 : (@set{ 'enable_indexscan', $query->{on} } = ('on') x 2);    # the server counts index-only scans as disabled with the others
    # The planner is to take as many processes as it is given.
    @set{qw(max_parallel_workers_per_gather parallel_setup_cost parallel_tuple_cost min_parallel_table_scan_size min_parallel_index_scan_size cpu_tuple_cost)} =
        ($way->{workers}, 0, 0, 0, 0, $way->{workers} ? 1 : 0.01);
    $db->do("SET $_ = $set{$_}") for sort keys %set;
    my $sql   = sprintf $query->{sql}, $way->{table}, $query->{sql} =~ /%d/ ? $rows / 10 : ();
    my $plan  = $db->value("SELECT string_agg(line, ' ') FROM bench_explain(\$\$$sql\$\$) line");
    my $wants = $way->{name} =~ /2 processes/;
    die "parallel: $query->{name}, $way->{name}: not the plan that is to be measured: $plan\n" if $way->{table} =~ /xtree/ && $wants != ($plan =~ /Parallel/);
    my $start = $db->value('SELECT extract(epoch FROM clock_timestamp()) * 1e6');
    my @row   = $db->row($sql);
    return ($db->value('SELECT extract(epoch FROM clock_timestamp()) * 1e6') - $start, join ' ', @row);
}

1;
