# Runs a query through the index and without it, and compares the answers.
#
# The answer without the index is the truth. Answers are multisets of row texts;
# a KNN answer is a sequence of distances, which must be equal, and of rows,
# which must be equal among each distance, except that a LIMIT may cut the last
# distance's rows anywhere. Both runs see the same snapshot of the caller.
# Locks: those of the queries; a query that writes is rolled back.
package Oracle::Compare;
use strict;
use warnings;
use Oracle::Random;
use Oracle::Errors qw(error_outcome);
use Oracle::Query qw(query_sql with_values prepared_sql);
use Exporter 'import';
our @EXPORT_OK = qw(compare failure settings_sql);

my %DEFAULT = (
    map({ $_ => 'on' } qw(enable_seqscan enable_indexscan enable_indexonlyscan enable_bitmapscan enable_sort
            enable_hashjoin enable_mergejoin enable_nestloop enable_material enable_memoize enable_hashagg)),
    max_parallel_workers_per_gather => 0, min_parallel_table_scan_size => "'8MB'", min_parallel_index_scan_size => "'512kB'",
    parallel_setup_cost => 1000, parallel_tuple_cost => 0.1, cpu_tuple_cost => 0.01,
    work_mem => "'16MB'", plan_cache_mode => 'auto', 'xtree.use_mmap' => 'auto', 'xtree.enable_tree_join' => 'on', 'xtree.enable_lookup_join' => 'on',
);
my %WITHOUT = map { $_ => 'off' } qw(enable_indexscan enable_indexonlyscan enable_bitmapscan);

sub settings_sql {
    my ($changed, $zone) = @_;
    my %all = (%DEFAULT, %{$changed}, timezone => "'" . ($zone // 'UTC') . "'");
    return join(';', map { "SET $_ = $all{$_}" } sort keys %all);
}

# The verdict of a failure; rows that only one side has, where that is known.
sub failure {
    my ($kind, $text, %more) = @_;
    return { outcome => 'failed', kind => $kind, text => $text, missing => [], extra => [], %more };
}

# --- running ----------------------------------------------------------------------

# In a transaction, an error must not end it.
sub guarded {
    my ($session, $name, $code) = @_;
    return $code->() unless $session->{in_transaction}{$name};
    $session->run($name, 'SAVEPOINT oracle_guard');
    my $result = $code->();
    $session->run($name, 'ROLLBACK TO oracle_guard') if $result->{state};
    $session->run($name, 'RELEASE oracle_guard');
    return $result;
}

# Runs the code in a transaction that is rolled back at the end.
sub rolled_back {
    my ($session, $name, $code) = @_;
    $session->run($name, 'BEGIN');
    my $result = $code->();
    $session->run($name, 'ROLLBACK');
    return $result;
}

sub explain {
    my ($session, $name, $sql) = @_;
    my $plan = guarded($session, $name, sub { $session->query($name, "EXPLAIN (COSTS OFF) $sql") });
    return $plan->{rows} ? join("\n", @{ $plan->{rows} }) : '';
}

sub without_index {
    my ($session, $name, $q) = @_;
    # Cubes with a NaN are in no order, so a join of sorted rows would lose some of the truth.
    my %unsorted = ($q->{probes} || $q->{pairs}) && $q->{shape} ne 'lateral' ? map({ $_ => 'off' } qw(enable_mergejoin enable_sort enable_hashagg)) : ();
    $session->run($name, settings_sql({ %WITHOUT, %unsorted }, $q->{zone}));
    my $sql = with_values($q, query_sql($q, 0));
    return rolled_back($session, $name, sub { $session->query($name, $sql) }) if $q->{fetch} eq 'write';
    return guarded($session, $name, sub { $session->query($name, $sql) });
}

# A cursor that goes back and forth and is then read in full. What it returned
# on the way must be the same rows at the same positions.
sub scrolled {
    my ($session, $name, $q, $sql) = @_;
    my $result = $session->run($name, "DECLARE oracle_c SCROLL CURSOR FOR $sql");
    return $result if $result->{state};
    my @seen;
    my $state = $q->{seed};
    for my $i (1 .. 2 + $state % 5) {
        $state = ($state * 1103515245 + 12345) & 0x3fffffff;
        my ($n, $way) = (1 + ($state >> 4) % 40, ($state >> 12) % 3 ? 'FORWARD' : 'BACKWARD');
        my $got = $session->query($name, "FETCH $way $n FROM oracle_c");
        return $got if $got->{state};
        push @seen, [ $way, $n, $got->{rows} ];
    }
    $session->run($name, 'MOVE ABSOLUTE 0 FROM oracle_c');
    my $all = $session->query($name, 'FETCH ALL FROM oracle_c');
    $session->run($name, 'CLOSE oracle_c');
    $all->{wrong} = scroll_mismatch($all->{rows}, \@seen) if $all->{rows};
    return $all;
}

# Replays the fetches on the complete answer.
sub scroll_mismatch {
    my ($all, $seen) = @_;
    my ($at, $count) = (0, scalar @$all);
    for my $fetch (@$seen) {
        my ($way, $n, $rows) = @$fetch;
        my $end  = $way eq 'FORWARD' ? $at + $n : $at - $n;
        my @want = grep { $_ >= 1 && $_ <= $count } $way eq 'FORWARD' ? ($at + 1 .. $end) : reverse($end .. $at - 1);
        my $want = join("\n", map { $all->[ $_ - 1 ] } @want);
        return "FETCH $way $n at position $at returned other rows than the cursor's own later FETCH ALL"
            if $want ne join("\n", @$rows);
        $at = $end > $count ? $count + 1 : $end < 0 ? 0 : $end;
    }
    return undef;
}

sub begun_cursor {
    my ($session, $name, $q, $sql) = @_;
    my $result = $session->run($name, "DECLARE oracle_c NO SCROLL CURSOR FOR $sql");
    return $result if $result->{state};
    return $session->query($name, 'FETCH ' . (1 + $q->{seed} % 20) . ' FROM oracle_c');
}

# A cursor held open while its own transaction writes: still its old snapshot.
sub held_open {
    my ($session, $name, $q, $sql) = @_;
    my $first = begun_cursor($session, $name, $q, $sql);
    return $first if $first->{state};
    for my $step (@{ $q->{writes} }) {
        my $result = $session->run_step($step);
        return $result if $result->{state};
    }
    my $rest = $session->query($name, 'FETCH ALL FROM oracle_c');
    return $rest if $rest->{state};
    return { rows => [ @{ $first->{rows} }, @{ $rest->{rows} } ] };
}

# A cursor read slowly while session b vacuums and then fills the freed places.
# VACUUM may have to wait for the cursor's pins, so it runs in the background.
sub under_vacuum {
    my ($session, $name, $q, $sql) = @_;
    my $part = begun_cursor($session, $name, $q, $sql);
    my ($vacuum, @fill) = @{ $q->{writes} };
    my $background = !$part->{state} && $vacuum;
    my @rows;
    $session->start('b', $vacuum->{sql}) if $background;
    for (my $tries = 0; $background && $tries < 60 && !$session->ready('b'); $tries++) { select(undef, undef, undef, 0.005) }
    while (!$part->{state} && @{ $part->{rows} }) {
        push @rows, @{ $part->{rows} };
        if ($background && $session->ready('b')) {
            $session->finish('b');
            $session->run_step($_) for @fill;
            $background = 0;
        }
        select(undef, undef, undef, 0.002) if $background;
        $part = $session->query($name, 'FETCH 100 FROM oracle_c');
    }
    $session->run($name, 'CLOSE oracle_c') unless $part->{state};
    $session->finish('b') if $background;
    return $part->{state} ? $part : { rows => \@rows };
}

sub in_own_transaction {
    my ($session, $name, $code) = @_;
    return guarded($session, $name, $code) if $session->{in_transaction}{$name};
    return rolled_back($session, $name, $code);
}

# For testing the oracle itself: the index is asked something else, as if it answered wrongly.
sub tampered {
    my ($session, $sql) = @_;
    my ($from, $to) = @{ $session->{tamper} // return $sql };
    my @group = $sql =~ /$from/ or return $sql;
    $to =~ s/\\(\d)/$group[ $1 - 1 ]/g;
    return $sql =~ s/$from/$to/r;
}

# (answer, plan, statement) of the run through the index.
sub with_index {
    my ($session, $name, $q) = @_;
    $session->run($name, settings_sql($q->{force}, $q->{zone}));
    my ($prepare, $sql) = prepared_sql($q, tampered($session, query_sql($q, 1)));
    if ($prepare) {
        my $result = guarded($session, $name, sub { $session->run($name, $prepare) });
        return ($result, '', "$prepare; $sql") if $result->{state};
    }
    my $plan = explain($session, $name, $sql);
    my $answer
        = $q->{fetch} eq 'scroll' ? in_own_transaction($session, $name, sub { scrolled($session, $name, $q, $sql) })
        : $q->{fetch} eq 'vacuum' ? rolled_back($session, $name, sub { under_vacuum($session, $name, $q, $sql) })
        : $q->{fetch} eq 'dml'   ? rolled_back($session, $name, sub { held_open($session, $name, $q, $sql) })
        : $q->{fetch} eq 'write' ? rolled_back($session, $name, sub { $session->query($name, $sql) })
        :                          guarded($session, $name, sub { $session->query($name, $sql) });
    $session->run($name, 'DEALLOCATE q') if $prepare;
    return ($answer, $plan, $prepare ? "$prepare; $sql" : $sql);
}

# --- comparing ----------------------------------------------------------------------

# Rows that only one side has: (missing in the second, extra in the second).
sub set_difference {
    my ($truth, $answer) = @_;
    my %count;
    $count{$_}++ for @$truth;
    $count{$_}-- for @$answer;
    my (@missing, @extra);
    for my $row (sort grep { $count{$_} } keys %count) {
        push @missing, ($row) x $count{$row}  if $count{$row} > 0;
        push @extra,   ($row) x -$count{$row} if $count{$row} < 0;
    }
    return (\@missing, \@extra);
}

sub set_verdict {
    my ($truth, $answer) = @_;
    my ($missing, $extra) = set_difference($truth, $answer);
    return undef unless @$missing || @$extra;
    my $text = scalar(@$truth) . ' rows without the index, ' . scalar(@$answer) . ' with it';
    return failure('rows', $text, missing => $missing, extra => $extra);
}

sub distance_of { my ($row) = @_; return $row =~ /^[^|]*\|(.*)/ ? $1 : '' }

# Distances first, then rows distance by distance.
sub knn_verdict {
    my ($truth, $answer, $limit) = @_;
    my $want = $limit && $limit < @$truth ? $limit : @$truth;
    if ($want != @$answer) {
        my ($missing, $extra) = set_difference($truth, $answer);
        return failure('rows', "KNN: $want rows expected, " . @$answer . ' returned', missing => $missing, extra => $extra);
    }
    for my $i (0 .. $#$answer) {
        my ($d, $got) = (distance_of($truth->[$i]), distance_of($answer->[$i]));
        return failure('distance', "KNN: distance number $i is $got, should be $d", missing => [ $truth->[$i] ],
            extra => [ $answer->[$i] ]) if $d ne $got;
    }
    return knn_rows_verdict($truth, $answer);
}

# The same for each row of the outer side: rows are "outer|id|distance".
sub lateral_verdict {
    my ($truth, $answer, $limit) = @_;
    my (%truth, %answer);
    for my $side ([ $truth, \%truth ], [ $answer, \%answer ]) {
        for my $row (@{ $side->[0] }) { my ($outer, $rest) = split(/\|/, $row, 2); push @{ $side->[1]{$outer} }, $rest }
    }
    for my $outer (sort keys %{ { %truth, %answer } }) {
        my $verdict = knn_verdict($truth{$outer} // [], $answer{$outer} // [], $limit);
        return { %$verdict, text => "outer row $outer: $verdict->{text}" } if $verdict;
    }
    return undef;
}

# Rows that the index did not return are all right only at distances that the
# LIMIT cut off, wholly or in part.
sub knn_rows_verdict {
    my ($truth, $answer) = @_;
    my ($missing, $extra) = set_difference($truth, $answer);
    my %cut = map { distance_of($_) => 1 } @$truth[ scalar(@$answer) .. $#$truth ];
    my @lost = grep { !$cut{ distance_of($_) } } @$missing;
    return undef unless @lost || @$extra;
    return failure('rows', 'KNN: other rows at the same distance', missing => \@lost, extra => $extra);
}

# Does an index serve the condition alone, so that nothing of it is left to a filter?
sub is_served {
    my ($session, $name, $q, $qual) = @_;
    $session->run($name, settings_sql($q->{force}, $q->{zone}));
    my $plan = explain($session, $name, with_values($q, query_sql({ %$q, shape => 'count', fetch => 'plain', quals => [$qual], probe_qual => undef }, 1)));
    return $plan =~ /(?:Index|Recheck) Cond: / && $plan !~ /Filter: /;
}

sub scanned {
    my ($session, $name, $q) = @_;
    $session->run($name, settings_sql(\%WITHOUT, $q->{zone}));
    return guarded($session, $name, sub { $session->query($name, with_values($q, query_sql($q, 0))) });
}

# An error of a plan without an index is the executor's, as where a generic plan does not see that a parameter is NULL.
sub error_verdict {
    my ($session, $name, $q, $truth, $answer, $plan) = @_;
    return { outcome => 'skipped', excused => 1 } if $plan ne '' && $plan !~ /Index/;
    my $outcome = error_outcome($q, $truth, $answer, sub { is_served($session, $name, $q, @_) }, sub { scanned($session, $name, @_) });
    return { outcome => 'skipped', excused => 1 } if $outcome eq 'excused';
    return { outcome => $outcome } if $outcome ne 'failed';
    my ($without, $with) = map { $_->{state} // '' } $truth, $answer;
    my ($message, $other) = map { $_->{message} // 'no error' } $truth, $answer;
    return failure("error $with" . ($without ? " (without the index $without)" : ''), "without the index: $message\nwith it: $other");
}

# The equality of cubes is not transitive where there is a NaN, which equals every number: rows made unique before a join, by
# a sort, are other rows than the pairs that are equal. That is cube's own; only pairs can be compared.
sub intransitive {
    my ($session, $name, $q, $plan) = @_;
    return 0 unless ($q->{probes} || $q->{pairs}) && grep { "@$_" =~ /^(?:oracle_)?cube = / } @{ $q->{ops} };
    return 0 unless $plan =~ /Unique|HashAggregate|Merge \w*\s*(?:Semi |Anti )?Join/;
    return 1 if grep { $_->[1] =~ /NaN/ } @{ $q->{probes} // [] };
    my $rows = $session->query($name, "SELECT count(*) FROM t WHERE t::text LIKE '%NaN%'");
    return $rows->{rows} && $rows->{rows}[0] > 0;
}

sub answers_verdict {
    my ($q, $truth, $answer) = @_;
    return failure('cursor', $answer->{wrong}) if $answer->{wrong};
    return knn_verdict($truth->{rows}, $answer->{rows}, $q->{limit}) if $q->{shape} eq 'knn';
    return lateral_verdict($truth->{rows}, $answer->{rows}, $q->{limit}) if $q->{shape} eq 'lateral';
    return set_verdict($truth->{rows}, $answer->{rows});
}

# One comparison. Returns {outcome => agreed|skipped|failed, kind, text, missing,
# extra, plan, sql, count}; "used" is true when the plan reads an index at all.
sub compare {
    my ($session, $q, $name) = @_;
    $name //= 'a';
    $session->run_step($_) for @{ $q->{before} // [] };
    my $truth = without_index($session, $name, $q);
    my ($answer, $plan, $sql) = with_index($session, $name, $q);
    my $verdict = $truth->{state} || $answer->{state} ? error_verdict($session, $name, $q, $truth, $answer, $plan) : answers_verdict($q, $truth, $answer);
    $verdict = { outcome => 'skipped' } if $verdict && $verdict->{outcome} eq 'failed' && intransitive($session, $name, $q, $plan);
    $verdict ||= { outcome => 'agreed' };
    $session->run($name, settings_sql({}));
    return { %$verdict, plan => $plan, sql => $sql, count => scalar @{ $truth->{rows} // [] },
        used => $plan =~ /Index (?:Only )?Scan|Xtree(?:Lookup)?Join/ ? 1 : 0 };
}

1;
