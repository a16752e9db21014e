# Latency, pages and answers of the query classes.
#
# A latency is taken inside the server: a PL/pgSQL function loops over the class's
# constants, one static statement with a generic plan per constant, the clock
# read around the loop, nothing subtracted.  Rounds go over the peers in turn and the median
# of the rounds counts.  A peer that is much slower than the rest runs a prefix of the
# same constants.  Before that the answers are compared: the count and a digest of each
# constant with every other peer's, and for a few constants with a sequential scan's.
package Bench::Query;
use strict;
use warnings;
use Bench::Build;
use Bench::Data;
use Bench::Stats qw(median);

my $BUDGET_US     = 400_000;    # aim of one peer's time in one round, at scale 1
my $LEAST_US      = 25_000;     # and at any scale
my $LEAST_QUERIES = 3;
my $VERIFIED      = 8;          # constants whose answer a sequential scan confirms

sub measure {
    my ($db, $opt, $set) = @_;
    $db->seed(0.24);
    my @results;
    for my $class (@{ $set->{classes} }) {
        my $constants = "q_$set->{key}_$class->{key}";
        _make_constants($db, $class, $constants);
        my @runs = map { _prepare($db, $opt, $set, $class, $_, $constants) }
            grep { !$class->{skip}{ $_->{name} } } @{ $set->{peers} };
        _verify($db, $set, $class, $constants, \@runs);
        for my $round (1 .. $opt->{rounds}) { _time_once($db, $_) for @runs }
        push @results, { key => $class->{key}, title => $class->{title}, peers => [ map { _summary($_) } @runs ] };
        $db->do("DROP TABLE $constants CASCADE");
    }
    _reset_plans($db);
    return \@results;
}

sub _make_constants {
    my ($db, $class, $constants) = @_;
    _reset_plans($db);
    $db->do("CREATE TABLE $constants AS SELECT row_number() OVER ()::int AS id, * FROM ($class->{constants}) c");
    $db->do("VACUUM (ANALYZE) $constants");
    return;
}

# One peer's run of one class: its function, how many constants fit the budget, plan and pages.
sub _prepare {
    my ($db, $opt, $set, $class, $peer, $constants) = @_;
    my $run = {
        peer => $peer->{name}, table => Bench::Build::table_of($set, $peer), constants => $constants,
        class => Bench::Data::for_peer($class, $peer), times => [],
    };
    $run->{function} = "run_$run->{table}_$class->{key}";
    _make_function($db, $run);
    _force_mode($db, $run);
    $run->{plan}    = _plan($db, $run);
    $run->{queries} = _affordable($db, $run, $BUDGET_US * $opt->{scale});
    _count_pages($db, $run);
    return $run;
}

sub _statement {
    my ($run, $expr, $from, $table) = @_;
    return "SELECT $expr FROM " . ($from =~ s/%t/$table/gr);
}

sub _make_function {
    my ($db, $run) = @_;
    my $class     = $run->{class};
    my $statement = _statement($run, "$class->{expr} INTO hits", $class->{from}, $run->{table});
    $db->do(<<"SQL");
CREATE OR REPLACE FUNCTION $run->{function}(most int, OUT us float8, OUT total int8) LANGUAGE plpgsql AS \$\$
DECLARE
    q $run->{constants}%ROWTYPE;
    hits int8;
    start float8;
BEGIN
    total := 0;
    start := ${\ $db->clock_sql};
    FOR q IN SELECT * FROM $run->{constants} WHERE id <= most LOOP
        $statement;
        total := total + hits;
    END LOOP;
    us := ${\ $db->clock_sql} - start;
END \$\$
SQL
    return;
}

sub _force_mode {
    my ($db, $run) = @_;
    my $mode = $run->{class}{mode};
    my %on   = (enable_seqscan => $mode eq 'sequential', enable_bitmapscan => $mode eq 'bitmap',
        enable_indexscan => $mode eq 'index', enable_indexonlyscan => $mode eq 'index');
    $_ ||= $mode eq 'any' for values %on;
    $db->do("SET $_ = " . ($on{$_} ? 'on' : 'off')) for sort keys %on;
    return;
}

sub _reset_plans {
    my ($db) = @_;
    $db->do("RESET $_") for qw(enable_seqscan enable_bitmapscan enable_indexscan enable_indexonlyscan);
    return;
}

# The constants' query is a parameter here, as it is in the function.
sub _per_constant {
    my ($run, $expr, $from, $table, $most) = @_;
    my $inner = _statement($run, $expr, $from, $table);
    return "SELECT q.id, ($inner) FROM $run->{constants} q WHERE q.id <= $most ORDER BY q.id";
}

sub _plan {
    my ($db, $run) = @_;
    my @lines = $db->column('EXPLAIN ' . _per_constant($run, @{ $run->{class} }{qw(expr from)}, $run->{table}, 1));
    return 'Seq Scan' if $run->{class}{mode} eq 'sequential';
    my ($node) = grep { defined } map { /(Index Only Scan|Index Scan|BitmapAnd|Bitmap Index Scan) / || /(BitmapAnd)/ ? $1 : undef } @lines;
    $node //= 'Seq Scan' if $run->{class}{mode} eq 'any';
    die "no index in the plan of $run->{peer} for $run->{class}{title}:\n" . join("\n", @lines) . "\n" unless $node;
    return $node;
}

# All constants, or as many as the budget allows by a trial that grows with what it sees.
sub _affordable {
    my ($db, $run, $budget) = @_;
    $budget = $LEAST_US if $budget < $LEAST_US;
    my $all = $db->value("SELECT count(*) FROM $run->{constants}");
    my $fit = $LEAST_QUERIES;
    for my $trial (1 .. 3) {
        my ($us) = _call($db, $run, $fit);
        $us  = $LEAST_US / 100 if $us < $LEAST_US / 100;    # below what the processor's clock can tell
        $fit = int($budget * $fit / $us);
        $fit = $LEAST_QUERIES if $fit < $LEAST_QUERIES;
        $fit = $all if $fit > $all;
    }
    return $fit;
}

sub _call {
    my ($db, $run, $queries) = @_;
    return $db->row("SELECT * FROM $run->{function}($queries)");
}

# Pages per query from the server's own counters; also proof that the index did the work.
sub _count_pages {
    my ($db, $run) = @_;
    my $before = $db->counters($run->{table});
    my ($us, $total) = _call($db, $run, $run->{queries});
    my $after = $db->counters($run->{table});
    my %delta = map { $_ => ($after->{$_} // 0) - ($before->{$_} // 0) } keys %$after;
    die "$run->{function}: not answered by its index\n"
        if $run->{class}{mode} =~ /^(?:index|bitmap)$/ && ($delta{seq_scans} || $delta{index_scans} < $run->{queries});
    $run->{total} = $total;
    $run->{"${_}_per_query"} = ($delta{"${_}_blocks"} // 0) / $run->{queries} for qw(index heap);
    return;
}

sub _time_once {
    my ($db, $run) = @_;
    _force_mode($db, $run);
    my ($us, $total) = _call($db, $run, $run->{queries});
    $db->differ("$run->{function} returned $total rows, before $run->{total}") if $total != $run->{total};
    push @{ $run->{times} }, $us / $run->{queries};
    return;
}

# Answers as "count digest" per constant, from the peer's own table and plan.
sub _answers {
    my ($db, $run, $most) = @_;
    my ($class, $table) = @$run{qw(class table)};
    my $rows   = $db->{dbh}->selectall_arrayref(_per_constant($run, @$class{qw(expr from)}, $table, $most));
    my $from   = $class->{digest_from} // $class->{from};
    my $digest = $db->{dbh}->selectall_arrayref(_per_constant($run, $class->{digest}, $from, $table, $most));
    return [ map { "$rows->[$_][1] rows, digest $digest->[$_][1]" } 0 .. $#$rows ];
}

sub _verify {
    my ($db, $set, $class, $constants, $runs) = @_;
    my @said;
    for my $run (@$runs) {
        _force_mode($db, $run);
        push @said, { name => $run->{peer}, answers => _answers($db, $run, $run->{queries}) };
    }
    push @said, { name => 'sequential scan', answers => _sequential($db, $set, $class, $constants) };
    my ($most) = sort { @{ $b->{answers} } <=> @{ $a->{answers} } } @said;
    for my $other (@said) {
        my @wrong = grep { $other->{answers}[$_] ne $most->{answers}[$_] } 0 .. $#{ $other->{answers} };
        next unless @wrong;
        $db->differ(sprintf '%s, %s, constant %d: %s gives %s, %s gives %s (%d constants differ)', $set->{title},
            $class->{title}, $wrong[0] + 1, $other->{name}, $other->{answers}[ $wrong[0] ], $most->{name},
            $most->{answers}[ $wrong[0] ], scalar @wrong);
    }
    return;
}

sub _sequential {
    my ($db, $set, $class, $constants) = @_;
    my $run = { class => $class, table => "$set->{key}_base", constants => $constants };
    $db->do('SET enable_seqscan = on');
    $db->do("SET $_ = off") for qw(enable_bitmapscan enable_indexscan enable_indexonlyscan);
    return _answers($db, $run, $VERIFIED);
}

sub _summary {
    my ($run) = @_;
    return {
        peer => $run->{peer}, us => median(@{ $run->{times} }), all => $run->{times}, plan => $run->{plan},
        queries => $run->{queries}, rows_per_query => $run->{total} / $run->{queries},
        index_pages => $run->{index_per_query}, heap_pages => $run->{heap_per_query},
    };
}

1;
