#!/usr/bin/perl
# Runs the benchmark of xtree beside PostgreSQL's own index types and prints the
# tables that README.md explains.  Called by `make bench`; needs DBD::Pg and either
# a server (--host, --port) or the server binaries to start a private one.
# Exits with 1 when two peers give different answers, never because of a time.
use strict;
use warnings;

use Bench::Build;
use Bench::Cluster;
use Bench::Cold;
use Bench::Control;
use Bench::Data;
use Bench::Db;
use Bench::Deferred;
use Bench::Hot;
use Bench::Joins;
use Bench::Large;
use Bench::Larger;
use Bench::Moving;
use Bench::Options;
use Bench::Paper;
use Bench::Parallel;
use Bench::Pin;
use Bench::Plans;
use Bench::Query;
use Bench::Ratios;
use Bench::Report;
use Bench::Restart;
use Bench::Scaling;
use Bench::Server;
use Bench::Vectors;
use Bench::Write;

sub run_dataset {
    my ($db, $opt, $set, $result) = @_;
    my $out = $result->{datasets}{ $set->{key} } = { rows => $set->{rows}, title => $set->{title} };
    if ($opt->wants('build') || $opt->wants('query')) {
        Bench::Build::load($db, $set);
        $out->{build} = Bench::Build::measure($db, $opt, $set);
        Bench::Report::build($set, $out->{build}) if $opt->wants('build');
    }
    if ($opt->wants('query')) {
        $out->{query} = Bench::Query::measure($db, $opt, $set);
        Bench::Report::query($set, $out->{query});
    }
    Bench::Build::drop($db, $set);
    if ($opt->wants('write') && $set->{write}) {
        $out->{write} = Bench::Write::measure($db, $opt, $set);
        Bench::Report::write($set, $out->{write});
    }
    return;
}

# Small tables, so they are loaded and built also where only their queries count.
sub run_reports {
    my ($db, $opt, $result) = @_;
    for my $set (Bench::Data::reports($opt, $db)) {
        my $out = $result->{reports}{ $set->{key} } = { rows => $set->{rows}, title => $set->{title}, beside => $set->{beside} };
        Bench::Build::load($db, $set);
        $out->{build} = Bench::Build::measure($db, $opt, $set);
        delete $out->{build} unless $set->{build};
        Bench::Report::build($set, $out->{build}) if $out->{build};
        $out->{query} = Bench::Query::measure($db, $opt, $set);
        Bench::Report::query($set, $out->{query});
        Bench::Build::drop($db, $set);
    }
    my $cluster = $opt->has_peer('xtree') ? Bench::Cluster::run($db, $opt) : { targets => [] };
    $result->{cluster} = $cluster->{figures};
    return @{ Bench::Ratios::reports($result) }, @{ $cluster->{targets} };
}

sub run_parallel {
    my ($db, $opt, $result) = @_;
    my $out = Bench::Parallel::run($db, $opt);
    $result->{parallel} = $out->{figures};
    return @{ $out->{targets} };
}

sub run_joins {
    my ($db, $opt, $result) = @_;
    my $out = Bench::Joins::run($db, $opt);
    $result->{joins} = $out->{figures};
    return @{ $out->{targets} };
}

sub run_moving {
    my ($db, $opt, $result) = @_;
    my $out = Bench::Moving::run($db, $opt);
    $result->{moving} = $out->{figures};
    return @{ $out->{targets} };
}

sub run_plans {
    my ($db, $opt, $result) = @_;
    my $out = Bench::Plans::run($db, $opt);
    $result->{plans} = $out->{figures};
    return @{ $out->{targets} };
}

sub run_vectors {
    my ($db, $opt, $result) = @_;
    my $out = Bench::Vectors::run($db, $opt);
    $result->{vectors} = $out->{figures};
    return @{ $out->{targets} };
}

sub run_large {
    my ($db, $opt, $result) = @_;
    my $control = Bench::Control->new($db);
    my $out     = Bench::Large::run($db, $opt, $control);
    $control->undo;
    $result->{large} = $out->{figures};
    return @{ $out->{targets} };
}

my @LIFE = (
    [ scaling        => \&Bench::Scaling::run ],
    [ 'scaling-long' => \&Bench::Scaling::run_long ],
    [ hot            => \&Bench::Hot::run ],
    [ larger         => \&Bench::Larger::run ],
    [ cold           => \&Bench::Cold::run ],
    [ restart        => \&Bench::Restart::run ],
    [ pin            => \&Bench::Pin::run ],
    [ deferred       => \&Bench::Deferred::run ],
);

# The parts about memory print their own tables and return their targets.
sub run_life {
    my ($db, $opt, $result) = @_;
    for my $part (@LIFE) {
        my ($name, $run) = @$part;
        next unless $opt->wants($name) && $opt->has_peer('xtree');
        my $control = Bench::Control->new($db);
        my $why     = $control->why_not // $control->why_not_preloaded;
        print "\n$name: SKIPPED, $why\n" if $why;
        next if $why;
        my $out = $run->($db, $opt, $control);
        $control->undo;
        $result->{$name} = $out->{figures};
        push @{ $result->{ratios} }, @{ $out->{targets} };
    }
    return;
}

sub main {
    my $opt    = Bench::Options->parse(@ARGV);
    my $server = $opt->{host} ? undef : Bench::Server->start;
    my $db     = Bench::Db->connect($opt, $server);
    my $result = { machine => $db->machine($opt) };
    Bench::Report::machine($result->{machine});
    $opt->restrict_peers($db);

    run_dataset($db, $opt, $_, $result) for Bench::Data::selected($opt, $db);
    if ($opt->wants('paper') && $opt->has_peer('xtree')) {
        $result->{paper} = Bench::Paper::measure($db, $opt);
        Bench::Report::paper($result->{paper});
    }
    $result->{ratios} = Bench::Ratios::compute($result);
    push @{ $result->{ratios} }, run_reports($db, $opt, $result) if $opt->wants('reports');
    push @{ $result->{ratios} }, run_plans($db, $opt, $result) if $opt->wants('plans') && $opt->has_peer('xtree');
    push @{ $result->{ratios} }, run_joins($db, $opt, $result) if $opt->wants('joins') && $opt->has_peer('xtree');
    push @{ $result->{ratios} }, run_parallel($db, $opt, $result) if $opt->wants('parallel') && $opt->has_peer('xtree');
    push @{ $result->{ratios} }, run_moving($db, $opt, $result) if $opt->wants('moving') && $opt->has_peer('xtree');
    push @{ $result->{ratios} }, run_vectors($db, $opt, $result) if $opt->wants('vectors') && $opt->has_peer('xtree');
    push @{ $result->{ratios} }, run_large($db, $opt, $result) if $opt->wants('large') && $opt->has_peer('xtree');
    run_life($db, $opt, $result);
    Bench::Report::ratios($result->{ratios});
    $result->{differences} = $db->{differences};
    Bench::Report::json($opt->{json}, $result) if $opt->{json};
    $db->finish($opt);
    return Bench::Report::differences($db->{differences});
}

$| = 1;
$SIG{INT} = $SIG{TERM} = sub { die "interrupted\n" };    # unwinds, so a private server stops
exit main();
