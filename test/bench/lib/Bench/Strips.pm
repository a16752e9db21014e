# Tables with one index, of three float8 columns or of points, and queries that visit many of its pages and return next
# to nothing: a thin slice through one dimension, by a bitmap scan.  What such a query costs beyond one that ends at
# the root is page visits with their filter.  Used by the parts about memory.
package Bench::Strips;
use strict;
use warnings;

my $QUERIES = 64;

my %KIND = (
    columns => { row => 'random() AS a, random() AS b, random() AS c', key => 'a, b, c', slice => 'a BETWEEN x AND x + 1e-6' },
    points  => { row => 'point(random(), random()) AS p', key => 'p', slice => 'p <@ box(point(x, 0), point(x + 1e-5, 1))' },
);

# Makes the table `name` of one of the kinds with so many rows, and its index `name_i` of an access method with options.
sub make {
    my ($db, $kind, $name, $rows, $method, $options) = @_;
    $db->do("DROP TABLE IF EXISTS $name");
    $db->do("CREATE TABLE $name AS SELECT $KIND{$kind}{row} FROM generate_series(1, $rows)");
    my $with = $options ? "WITH ($options)" : '';
    $db->do("CREATE INDEX ${name}_i ON $name USING $method ($KIND{$kind}{key}) $with");
    $db->do("VACUUM (ANALYZE) $name");
    _make_function($db, $name, $KIND{$kind}{slice});
    return;
}

# <name>_run(first, count): so many slices; outside: where no row is.
sub _make_function {
    my ($db, $name, $slice) = @_;
    $db->do(<<"SQL");
CREATE OR REPLACE FUNCTION ${name}_run(first int, count int, outside bool, OUT us float8, OUT total int8) LANGUAGE plpgsql AS \$\$
DECLARE
    x float8;
    hits int8;
    start float8;
BEGIN
    total := 0;
    start := bench_clock();
    FOR i IN first .. first + count - 1 LOOP
        x := CASE WHEN outside THEN 2 ELSE (i * 0.6180339887498949) % 1.0 END;
        SELECT count(*) INTO hits FROM $name WHERE $slice;
        total := total + hits;
    END LOOP;
    us := bench_clock() - start;
END \$\$
SQL
    return;
}

sub queries { return $QUERIES }

# Only bitmap scans, or only sequential ones; the function's statement is planned anew.
sub plans {
    my ($db, $kind) = @_;
    $db->do("SET $_ = off") for qw(enable_seqscan enable_indexscan enable_indexonlyscan enable_bitmapscan);
    $db->do('SET enable_' . ($kind eq 'sequential' ? 'seqscan' : 'bitmapscan') . ' = on');
    $db->do('DISCARD PLANS');
    return;
}

sub run {
    my ($db, $name, $first, $count, $outside) = @_;
    return $db->row("SELECT us, total FROM ${name}_run($first, $count, " . ($outside ? 'true' : 'false') . ')');
}

# The same queries by the index and by sequential scans, as the server's own counters confirm.
sub compare {
    my ($db, $name, $first, $count) = @_;
    my $before = $db->counters($name);
    my ($us, $found) = run($db, $name, $first, $count);
    plans($db, 'sequential');
    my ($seq_us, $expected) = run($db, $name, $first, $count);
    plans($db, 'bitmap');
    my $after = $db->counters($name);
    die "$name: not compared by an index scan and a sequential one\n"
        if $after->{index_scans} < $before->{index_scans} + $count || $after->{seq_scans} < $before->{seq_scans} + $count;
    $db->differ("$name: $found rows by the index, $expected by sequential scans") if $found != $expected;
    return $found;
}

# What the server has counted for the index so far.
sub counted {
    my ($db, $name) = @_;
    return $db->hash("SELECT state, size, mapped_reads, buffer_reads, retries, evictions, mapped_share, hit_rate, prefetches, resident_bytes, pinned_bytes
                      FROM pg_stat_xtree_indexes WHERE indexrelname = '${name}_i'");
}

# Loads the index and says whether this session maps it.
sub load {
    my ($db, $name) = @_;
    return $db->value("SELECT xtree_load('${name}_i')");
}

1;
