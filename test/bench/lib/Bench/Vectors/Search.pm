# Searches for the ten nearest, timed within the server, and how many of those that are nearest were found. Rows at the distance of the tenth are
# as good as it, so distances are compared, not rows.
package Bench::Vectors::Search;
use strict;
use warnings;
use List::Util qw(min);

my $LIMIT = 10;

sub limit { return $LIMIT }

# A function over the first queries: us, and each query's distances as text, nearest first.
sub prepare {
    my ($db, $set, $filter) = @_;
    my $name  = "$set->{key}_search";
    my $where = $filter->{where} ? "WHERE $filter->{where}" : '';
    $db->do(<<"SQL");
CREATE OR REPLACE FUNCTION $name(most int, OUT us float8, OUT answers text[]) LANGUAGE plpgsql AS \$\$
DECLARE
    q $set->{key}_queries%ROWTYPE;
    start float8 := ${\ $db->clock_sql};
BEGIN
    FOR q IN SELECT * FROM $set->{key}_queries ORDER BY id LIMIT most LOOP
        answers := array_append(answers, array_to_string(ARRAY(SELECT v $set->{op} q.v FROM $set->{key}_rows $where ORDER BY v $set->{op} q.v LIMIT $LIMIT), ' '));
    END LOOP;
    us := ${\ $db->clock_sql} - start;
END \$\$
SQL
    return $name;
}

# By a sequential scan, or by the one index that there is.
sub choose {
    my ($db, $how) = @_;
    my $index = $how ne 'scan';
    $db->do("SET enable_seqscan = " . ($index ? 'off' : 'on'));
    $db->do("SET enable_indexscan = " . ($index ? 'on' : 'off'));
    $db->do("SET enable_$_ = off") for qw(bitmapscan indexonlyscan);
    return;
}

sub reset {
    my ($db) = @_;
    $db->do("RESET enable_$_") for qw(seqscan indexscan bitmapscan indexonlyscan);
    return;
}

# Does the index serve the order?
sub require_index {
    my ($db, $set, $filter) = @_;
    my $where = $filter->{where} ? "WHERE $filter->{where}" : '';
    my $plan = join "\n", $db->column("EXPLAIN SELECT id FROM $set->{key}_rows $where ORDER BY v $set->{op} (SELECT v FROM $set->{key}_queries LIMIT 1) LIMIT $LIMIT");
    die "$set->{key}: no index serves the search\n$plan\n" unless $plan =~ /Index Scan/ && $plan =~ /Order By:/;
    return;
}

# The first query warms up; then milliseconds a query, and the answers.
sub run {
    my ($db, $name, $most) = @_;
    $db->row("SELECT * FROM $name(1)");
    my ($us, $found) = $db->{dbh}->selectrow_array("SELECT us, answers FROM $name($most)");
    my @found = map { [ split / / ] } @$found;
    return { ms => $us / 1000 / @found, found => \@found, queries => scalar @found };
}

# Recall, rows a query, and how many queries had fewer rows than there are: of those queries for which the scan had the patience.
sub compare {
    my ($truth, $run) = @_;
    my ($right, $wanted, $rows, $short) = (0, 0, 0, 0);
    my $queries = min(scalar @{ $run->{found} }, scalar @{ $truth->{found} });
    for my $i (0 .. $queries - 1) {
        my ($true, $got) = ($truth->{found}[$i], $run->{found}[$i]);
        $wanted += @$true;
        $rows   += @$got;
        $short++ if @$got < @$true;
        next unless @$true;
        my $reach = $true->[-1] + 1e-6 * abs($true->[-1]) + 1e-9;
        my $hits  = grep { $_ <= $reach } @$got;
        $right += $hits < @$true ? $hits : @$true;
    }
    return { recall => $wanted ? $right / $wanted : 1, rows => $rows / ($queries || 1), short => $short };
}

1;
