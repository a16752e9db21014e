# Several sessions write to one table while this one compares answers.
#
# Each writer is a forked child with its own connection, stream of random
# numbers and range of ids; the first also vacuums and reindexes concurrently.
# The checker runs each query both ways inside one REPEATABLE READ or
# SERIALIZABLE transaction, so in one snapshot. After the writers have ended
# everything is compared once more at rest, and every index is verified.
# Locks: those of the statements; a writer that loses a deadlock goes on.
package Oracle::Concurrent;
use strict;
use warnings;
use POSIX ();
use Time::HiRes qw(time);
use Oracle::Compare qw(compare);
use Oracle::Errors qw(of_values);
use Oracle::Query qw(random_query);
use Oracle::Random;
use Oracle::Report;
use Oracle::Runner qw(run_one check_indexes);
use Oracle::Schema qw(random_table table_steps);
use Oracle::Session;
use Oracle::Workload qw(random_write random_transaction vacuum);
use Exporter 'import';
our @EXPORT_OK = qw(concurrent_table);

# What a conflict between writers may legitimately raise. (A condition may also
# raise an evaluation error.)
my %CONFLICT = map { $_ => 1 } qw(40001 40P01 55P03);

# --- writers ------------------------------------------------------------------------

sub writer_maintenance {
    my ($table) = @_;
    return vacuum($table) if chance(70) || $table->{kind} eq 'partitioned';
    return { sql => 'REINDEX INDEX CONCURRENTLY ' . pick(@{ $table->{indexes} })->{name} };
}

sub writer_unit {
    my ($table, $number) = @_;
    return writer_maintenance($table) if $number == 1 && chance(15);
    return chance(35) ? random_transaction($table) : random_write($table);
}

# Runs in the child: writes until $end; the message of an error that no conflict
# explains, or undef. Every statement goes to the log first.
sub write_until {
    my ($session, $table, $number, $end, $log) = @_;
    while (time < $end) {
        for my $step (writer_unit($table, $number)) {
            print {$log} Oracle::Session::step_text($step);
            my $result = $session->run_step($step);
            next unless $result->{state};
            print {$log} "-- $result->{state} $result->{message}\n";
            my $excused = $CONFLICT{ $result->{state} } || ($step->{evaluates} && of_values($result));
            return "$result->{state} $result->{message}" unless $excused;
            $session->run('a', 'ROLLBACK') if $session->{in_transaction}{a};
            last;
        }
    }
    return undef;
}

sub start_writer {
    my ($arg, $table, $number, $end) = @_;
    my $path = "$arg->{base}-writer$number.sql";
    my $pid = fork() // die "cannot fork: $!\n";
    return { pid => $pid, log => $path } if $pid;
    seed($arg->{seed}, $arg->{number}, $number);
    $table->{next_id} = $number * 1_000_000;
    open(my $log, '>', $path) or POSIX::_exit(3);
    $log->autoflush(1);
    my $session = $arg->{new_session}->();
    $session->{settings} = 'SET enable_seqscan = off' if chance(50);
    my $error   = eval { write_until($session, $table, $number, $end, $log) } // $@;
    $session->disconnect;
    print {$log} "-- FAILED: $error\n" if $error;
    close($log);
    POSIX::_exit($error ? 1 : 0);
}

# Waits for the writers: texts of what went wrong in them.
sub join_writers {
    my (@writers) = @_;
    my @problems;
    for my $writer (@writers) {
        waitpid($writer->{pid}, 0);
        push @problems, "writer failed, the end of $writer->{log} says why" if $?;
    }
    return @problems;
}

# --- checker ------------------------------------------------------------------------

# Compares in snapshots until $end. The first failure as {query, verdict} or undef.
sub check_until {
    my ($arg, $session, $table, $end) = @_;
    while (time < $end) {
        my $level = pick('REPEATABLE READ', 'REPEATABLE READ', 'SERIALIZABLE');
        $session->run('a', "BEGIN ISOLATION LEVEL $level");
        for (1 .. irange(1, 8)) {
            my $q = random_query($table, 0);
            $q->{force}{enable_indexonlyscan} = 'off' if $arg->{masked}{'only-scan'};
            my $verdict = compare($session, $q);
            $arg->{report}->note($q, $verdict);
            next if $verdict->{outcome} ne 'failed';
            $session->run('a', 'ROLLBACK');
            return { query => $q, verdict => $verdict };
        }
        $session->run('a', 'COMMIT');
    }
    return undef;
}

sub compare_at_rest {
    my ($arg, $session, $table) = @_;
    for (1 .. 30) {
        my $q = random_query($table, 0);
        my $verdict = compare($session, $q);
        $arg->{report}->note($q, $verdict);
        return { query => $q, verdict => $verdict } if $verdict->{outcome} eq 'failed';
    }
    my $verdict = check_indexes($session, $arg->{am});
    return { verdict => $verdict } if $verdict;
    $arg->{report}->add('checks') if $arg->{am}{check};
    return undef;
}

# Says whether the difference is still there without any concurrency.
sub describe {
    my ($arg, $session, $setup, $failure) = @_;
    my $text = Oracle::Report::verdict_text($failure->{verdict});
    if (my $q = $failure->{query}) {
        my $again = compare($session, $q);
        $text .= 'at rest the same query ' . ($again->{outcome} eq 'failed' ? 'still differs' : 'agrees') . "\n";
        $text .= Oracle::Report::comparison_text({ probe => $q }, $failure->{verdict});
    }
    my $check = check_indexes($session, $arg->{am});
    $text .= 'at rest the index check says: ' . ($check ? $check->{text} : 'good') . "\n" if $arg->{am}{check};
    my $log = Oracle::Report::steps_text($setup, {}) . "-- writers: see $arg->{base}-writer*.sql\n$text";
    Oracle::Report::write_file("$arg->{base}.sql", $log);
    return "$text\nsetup: $arg->{base}.sql; statements of the writers: $arg->{base}-writer*.sql\n";
}

sub shared_table {
    my ($arg) = @_;
    my $table;
    do { $table = random_table($arg->{am}, $arg->{types}, $arg->{masked}, 3000) } while $table->{kind} eq 'temporary';
    @$table{qw(opclass shared snapshot_open)} = ($arg->{opclass}, 1, 1);
    return $table;
}

# concurrent_table(session, seed, number, am, types, masked, opclass, report, base
# path of log files, writers, seconds, new_session). Text of a failure or undef.
sub concurrent_table {
    my (%arg) = @_;
    my $session = $arg{session};
    seed($arg{seed}, $arg{number});
    my $table = shared_table(\%arg);
    my @setup = table_steps($table);
    $session->reset_schema;
    for my $step (@setup) {
        my $verdict = run_one($session, $arg{am}, $step);
        return describe(\%arg, $session, \@setup, { verdict => $verdict }) if $verdict->{outcome} eq 'failed';
    }
    $session->disconnect;
    my $end      = time + $arg{seconds};
    my @writers  = map { start_writer(\%arg, $table, $_, $end) } 1 .. $arg{writers};
    my $failure  = check_until(\%arg, $session, $table, $end);
    my @problems = join_writers(@writers);
    $failure //= compare_at_rest(\%arg, $session, $table);
    return describe(\%arg, $session, \@setup, $failure) . join("\n", @problems) if $failure;
    return join("\n", @problems) if @problems;
    unlink map { $_->{log} } @writers;
    return undef;
}

1;
