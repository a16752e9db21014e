# A query, planned and run within a transaction that leads the planner to one choice: a value of xtree.estimate_rows,
# switches that are off, indexes that are not there.  At its end all is as it was.
#
# A choice: estimates (a value of the setting; without it the build has none), off => [switches], hidden => [indexes].
package Bench::Plans::Choice;
use strict;
use warnings;
use JSON::PP ();
use List::Util qw(max min);

my @SWITCHES = map { "enable_$_" } qw(seqscan indexscan indexonlyscan bitmapscan sort nestloop hashjoin mergejoin material memoize);

my $REPEATED_MS = 20;    # a query that is shorter is run so often that all together take so long
my $MOST        = 50;    # but not more often

# plans_run(call, times): the clock around a loop over one prepared statement, and what it counted.
sub begin {
    my ($db) = @_;
    $db->do(<<'SQL');
CREATE FUNCTION plans_run(call text, times int, OUT us float8, OUT total int8) LANGUAGE plpgsql AS $$
DECLARE
    start float8;
BEGIN
    start := bench_clock();
    FOR i IN 1 .. times LOOP
        EXECUTE call INTO total;
    END LOOP;
    us := (bench_clock() - start) / times;
END $$
SQL
    return;
}

sub end { my ($db) = @_; $db->do('DROP FUNCTION plans_run'); return }

# Runs the code.  False: the time was over, which statement_timeout says; `code` has then done a part.
sub inside {
    my ($db, $choice, $code) = @_;
    $db->do('BEGIN');
    my $done = eval {
        $db->do('DROP INDEX ' . join ', ', @{ $choice->{hidden} }) if @{ $choice->{hidden} // [] };
        turn($db, $choice);
        $code->();
        1;
    };
    my ($error, $canceled) = ($@, ($db->{dbh}->state // '') eq '57014');
    $db->do('ROLLBACK');
    $db->do('DEALLOCATE ALL');
    die $error unless $done || $canceled;
    return $done;
}

# Within `inside`: the choice's setting and switches, all others being on.
sub turn {
    my ($db, $choice) = @_;
    my %off = map { $_ => 1 } @{ $choice->{off} // [] };
    my @set = map { "SET LOCAL $_ = " . ($off{$_} ? 'off' : 'on') } @SWITCHES;
    push @set, "SET LOCAL xtree.estimate_rows = $choice->{estimates}" if $choice->{estimates};
    $db->do(join '; ', @set);
    return;
}

sub limit { my ($db, $ms) = @_; $db->do('SET LOCAL statement_timeout = ' . int($ms + 1)); return }

# All queries are prepared, those without parameters too: what is run is what was explained.  (The sessions of the
# benchmark make generic plans.)  A query is counted, within the server; OFFSET keeps it as it is, and planned as it is.
sub prepare {
    my ($db, $query) = @_;
    my $types  = $query->{types} ? "($query->{types})" : '';
    my $select = "SELECT $query->{key} AS k FROM $query->{from} WHERE $query->{where}";
    $select .= " ORDER BY $query->{order} LIMIT $query->{limit}" if $query->{order};
    $db->do("PREPARE plans_query$types AS SELECT count(k) FROM ($select OFFSET 0) s");
    $db->do("PREPARE plans_digest$types AS SELECT count(k), coalesce(round(sum(k)::numeric, 6), 0) FROM ($select OFFSET 0) s");
    return;
}

sub forget { my ($db) = @_; $db->do('DEALLOCATE ALL'); return }

# The calls of a prepared statement, one for each list of arguments.
sub _calls {
    my ($query, $prepared) = @_;
    return "EXECUTE $prepared" unless $query->{args};
    return map { "EXECUTE $prepared(" . join(', ', @$_) . ')' } @{ $query->{args} };
}

# The plan as EXPLAIN tells it, the same for all arguments.
sub plan {
    my ($db, $query) = @_;
    my ($call) = _calls($query, 'plans_query');
    return JSON::PP->new->decode($db->value("EXPLAIN (FORMAT JSON) $call"))->[0]{Plan};
}

# [rows, digest] for each list of arguments.
sub answers { my ($db, $query) = @_; return [ map { [ $db->row($_) ] } _calls($query, 'plans_digest') ] }

# The milliseconds of all lists of arguments together, and how many rows there were for each.
sub run {
    my ($db, $query) = @_;
    my ($sum, @rows) = (0);
    for my $call (_calls($query, 'plans_query')) {
        my ($ms, $rows) = _once_or_more($db, $call);
        $sum += $ms;
        push @rows, $rows;
    }
    return ($sum, \@rows);
}

# The first time in a transaction the statement is planned, and looks up what dropping an index made the session forget.
sub _once_or_more {
    my ($db, $call) = @_;
    my ($ms, $rows) = _timed($db, $call, 1);
    return _timed($db, $call, max(1, min($MOST, int($REPEATED_MS / ($ms + 0.001))))) if $ms < 5 * $REPEATED_MS;
    return ($ms, $rows);
}

sub _timed {
    my ($db, $call, $times) = @_;
    my ($us, $rows) = $db->row("SELECT us, total FROM plans_run(\$plans\$$call\$plans\$, $times)");
    return ($us < 1 ? 0.001 : $us / 1000, $rows);
}

1;
