#!/usr/bin/perl
# The differential oracle: what an index answers against what a sequential scan
# answers, on random tables, data, statements and queries, from a seed.
#
# Run by hand or by "make oracle" against a server of its own; README.md in this
# directory lists the options. Exit status 0: every comparison agreed and the
# index was really used; 1: a difference; 2: the oracle could not run.
# Seen to fail (beside self-test.pl): with cubes of lower dimension forgotten by
# <@ (in the first table), with geometries near zero ordered by their boxes (in
# the twentieth).
# Locks: creates, changes and drops one schema, which no one else should use.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Spec;
use Getopt::Long;
use Time::HiRes qw(time);
use Oracle::Am qw(am_record);
use Oracle::Concurrent qw(concurrent_table);
use Oracle::Exclusion qw(exclusion_life);
use Oracle::Random;
use Oracle::Report;
use Oracle::Runner qw(run_steps);
use Oracle::Session;
use Oracle::Shrink qw(shrink);
use Oracle::Types qw(type_record type_names setup_statements);
use Oracle::Workload qw(table_life);

$| = 1;
my %opt = (
    seconds => 600, seed => 1, host => $ENV{PGHOST} // '/var/run/postgresql', port => $ENV{PGPORT} // 5432,
    user => $ENV{PGUSER} // 'postgres', database => $ENV{PGDATABASE} // 'postgres',
    am => 'xtree', mode => 'both', writers => 3, 'max-rows' => 15000, 'shrink-seconds' => 120, 'min-used' => 50,
    'min-rows' => 25, schema => 'oracle', round => 8, output => File::Spec->tmpdir, opclass => {},
);
GetOptions(\%opt, 'seconds=i', 'seed=i', 'host=s', 'port=i', 'user=s', 'database=s', 'am=s', 'types=s', 'mode=s', 'writers=i',
    'max-rows=i', 'table=i', 'tables=i', 'shrink-seconds=i', 'min-used=i', 'min-rows=i', 'schema=s', 'output=s',
    'opclass=s%', 'mask-nothing', 'keep-going', 'operators', 'setup=s', 'fault=s', 'tamper=s', 'mask=s', 'round=i') or exit 2;

sub new_session {
    return Oracle::Session->new(map({ $_ => $opt{$_} } qw(host port user database schema)));
}

# The types to test: those asked for, else all that both sides know.
sub chosen_types {
    my ($session, $am) = @_;
    return { map { $_ => type_record($_) } split /,/, $opt{types} } if $opt{types};
    my $has = $session->query('a', "SELECT c.opcintype::regtype::text FROM pg_opclass c JOIN pg_am m ON m.oid = c.opcmethod"
            . " WHERE m.amname = '$am->{name}' AND c.opcdefault");
    die "$has->{message}\n" if $has->{state};
    my %alias = (smallint => 'int2', integer => 'int4', bigint => 'int8', real => 'float4', 'double precision' => 'float8',
        'timestamp without time zone' => 'timestamp', 'timestamp with time zone' => 'timestamptz',
        'time without time zone' => 'time', 'time with time zone' => 'timetz', boolean => 'bool', character => 'bpchar',
        'bit varying' => 'varbit', 'real[]' => 'float4[]', 'double precision[]' => 'float8[]');
    my %offered = map { ($alias{$_} // $_) => 1 } @{ $has->{rows} };
    return { map { $_ => type_record($_) } grep { $offered{ type_record($_)->{class} // $_ } } type_names() };
}

# The beginning of the names of one table's logs.
sub log_base {
    my ($am, $number) = @_;
    return File::Spec->catfile($opt{output}, "oracle-$am->{name}-seed$opt{seed}-table$number");
}

# Makes the extensions' types known that the method has classes for and the server has; names the others.
sub use_companions {
    my ($session, $am) = @_;
    my %missing;
    for my $peer (sort keys %{ $am->{companions} // {} }) {
        my $available = $session->query('a', "SELECT 1 FROM pg_available_extensions WHERE name = '$peer'");
        $missing{$peer} = 1, next unless @{ $available->{rows} // [] };
        my $made = $session->run('a', "CREATE EXTENSION IF NOT EXISTS $am->{companions}{$peer} SCHEMA public CASCADE");
        die "$made->{message}\n" if $made->{state};
    }
    my @without = grep { my $needs = type_record($_)->{needs}; $needs && $missing{$needs} } type_names();
    print 'not tested, the server lacks ', join(', ', sort keys %missing), ': ', join(', ', @without), "\n" if %missing;
    return;
}

sub report_failure {
    my ($session, $am, $number, $steps, $failure) = @_;
    my $base = log_base($am, $number);
    my $head = "-- seed $opt{seed}, table $number, access method $am->{name}\n";
    my @done = @$steps[ 0 .. $failure->{at} ];
    Oracle::Report::write_file("$base.sql", $head . Oracle::Report::steps_text(\@done, $failure->{verdict}));
    print "\n*** seed $opt{seed}, table $number, step $failure->{at}: ", Oracle::Report::verdict_text($failure->{verdict});
    print "complete log: $base.sql; shrinking for up to $opt{'shrink-seconds'} s\n";
    my ($small, $verdict, $again) = shrink($session, $am, $steps, $failure, $opt{'shrink-seconds'});
    print "it did not happen again in a replay\n" unless $again;
    my $text = $head . Oracle::Report::steps_text($small, $verdict);
    Oracle::Report::write_file("$base-min.sql", $text);
    $text =~ s/^(.{300}).+/$1 [...]/mg;
    $text = substr($text, 0, 6000) . "\n[...]\n" . substr($text, -5000) if length($text) > 12_000;
    print "minimal reproduction ($base-min.sql):\n$text";
    print Oracle::Report::verdict_text($verdict), "\n";
    return;
}

# Adds up the pages that the last table's queries read through mappings, and all of them.
sub note_reads {
    my ($session, $am, $report) = @_;
    my $reads = $am->{reads} && $session->query('a', $am->{reads})->{rows} or return;
    my ($mapped, $all) = split /\|/, $reads->[0];
    $report->add('pages mapped', $mapped);
    $report->add('pages read', $all);
    return;
}

# One table in one session. True if nothing differed.
sub single_table {
    my ($session, $am, $types, $masked, $number, $report, $deadline) = @_;
    seed($opt{seed}, $number);
    my ($table, $steps) = $number % 8 == 0 && $am->{exclusion} && !$opt{fault} && (grep { $_->{equal} } values %$types) ? exclusion_life($am, $types, $masked)
        : table_life($am, $types, $masked, max_rows => $opt{'max-rows'}, opclass => $opt{opclass}, fault => $opt{fault});
    $session->reset_schema;
    my $failure = run_steps($session, $am, $steps, sub {
        my ($step, $verdict) = @_;
        if    ($step->{probe})   { $report->note($step->{probe}, $verdict) }
        elsif ($step->{attempt}) { $report->note_attempt($verdict) }
        else                     { $report->add($verdict->{outcome} eq 'checked' ? 'checks' : 'statements') }
        return time < $deadline;
    });
    note_reads($session, $am, $report);
    return 1 unless $failure;
    $report->note($steps->[ $failure->{at} ]{probe}, $failure->{verdict}) if $steps->[ $failure->{at} ]{probe};
    report_failure($session, $am, $number, $steps, $failure);
    return 0;
}

# One table under concurrent writers. True if nothing differed.
sub many_sessions {
    my ($session, $am, $types, $masked, $number, $report, $deadline) = @_;
    my $left = $deadline - time;
    $report->add('concurrent tables');
    my $problem = concurrent_table(session => $session, seed => $opt{seed}, number => $number, am => $am, types => $types,
        masked => $masked, opclass => $opt{opclass}, report => $report, base => log_base($am, $number), writers => $opt{writers},
        seconds => $left < $opt{round} ? $left : $opt{round}, new_session => \&new_session);
    print "\n*** seed $opt{seed}, table $number, $opt{writers} concurrent writers: $problem\n" if $problem;
    return !$problem;
}

# Every fifth table has concurrent writers, unless --mode says otherwise.
sub one_table {
    my ($session, $am, $types, $masked, $number, @rest) = @_;
    my $many = $opt{mode} eq 'concurrent' || ($opt{mode} eq 'both' && $number % 5 == 0);
    return $many ? many_sessions($session, $am, $types, $masked, $number, @rest)
        : single_table($session, $am, $types, $masked, $number, @rest);
}

# Whether the run could have found anything: problems as texts.
sub coverage_problems {
    my ($report, $am) = @_;
    my @problems;
    push @problems, 'nothing was compared' unless $report->compared;
    return @problems if $report->compared < 200;
    my @rules = ([ 'used', 'min-used', 'of the forced plans used the index' ], [ 'not empty', 'min-rows', 'of the answers had rows' ]);
    for my $rule (@rules) {
        my ($name, $limit, $text) = @$rule;
        push @problems, sprintf('only %.1f %% %s (at least %d %%)', $report->percent($name), $text, $opt{$limit})
            if $report->percent($name) < $opt{$limit};
    }
    push @problems, 'no page was read through a mapping' if $am->{preloaded} && !$report->count('pages mapped');
    push @problems, map { "operator never served by the index: $_" } $report->unreached(60) if $am->{strict};
    return @problems;
}

sub finish {
    my ($report, $am, $failed) = @_;
    print $report->summary;
    print $report->operator_table if $opt{operators} || $failed;
    for my $problem (coverage_problems($report, $am)) { print "FAILED: $problem\n"; $failed++ }
    printf "%d passed, %d failed\n", $report->passed, $failed;
    exit($failed ? 1 : 0);
}

sub run_setup {
    my ($session, @statements) = @_;
    for my $sql (@statements) {
        my $result = $session->run('a', $sql);
        die "$sql: $result->{message}\n" if $result->{state};
    }
    return;
}

sub main {
    my $am      = am_record($opt{am});
    my $session = new_session();
    run_setup($session, $am->{setup});
    use_companions($session, $am);
    run_setup($session, setup_statements(), $opt{setup} // ());
    $am->{preloaded} = $session->query('a', 'SHOW shared_preload_libraries')->{rows}[0] =~ /\b$am->{name}\b/;
    $session->{tamper} = [ split /=>/, $opt{tamper} ] if $opt{tamper};
    die "--mode is single, concurrent or both\n" unless $opt{mode} =~ /^(?:single|concurrent|both)$/;
    my $types = chosen_types($session, $am);
    die "no type to test\n" unless %$types;
    my $masked = { $opt{'mask-nothing'} ? () : %{ $am->{masked} }, map { $_ => 1 } split /,/, $opt{mask} // '' };
    print "oracle: $opt{am}, seed $opt{seed}, types ", join(', ', sort keys %$types), "\n";
    print 'masked: ', join(', ', sort keys %$masked), "\n" if %$masked;
    my ($report, $failed, $deadline) = (Oracle::Report->new, 0, time + $opt{seconds});
    my $number = $opt{table} // 1;
    while (time < $deadline) {
        $report->add('tables');
        my $good = one_table($session, $am, $types, $masked, $number, $report, $deadline);
        $failed++ unless $good;
        last if defined $opt{table} || (!$good && !$opt{'keep-going'}) || ($opt{tables} && $number >= $opt{tables});
        $number++;
    }
    $session->reset_schema;
    $report->add("index $_", $session->{shapes}{$_}) for sort keys %{ $session->{shapes} };
    finish($report, $am, $failed);
}

eval { main(); 1 } or do { print STDERR "oracle: $@"; exit 2 };
