# The first queries after a restart of the whole machine, beside the last before it, each in a new session: while the server is down the index's files
# are dropped from the page cache (the table's are not).
# xtree with nothing done ahead, with xtree.predictive_load, and beside pg_prewarm, which reads shared buffers in again; gist with and without pg_prewarm.
# Queries that visit many pages of the index and return next to nothing. Wall clock: waiting for the disk is what is measured.
package Bench::Restart;
use strict;
use warnings;
use Bench::Ratios;
use Bench::Stats qw(median);
use Bench::Strips;
use Bench::Text qw(table number megabytes);

my @WAYS = (
    { name => 'xtree, nothing',         table => 'restart_xtree', predictive => 'off', prewarm => 0 },
    { name => 'xtree, predictive_load', table => 'restart_xtree', predictive => 'on',  prewarm => 0 },
    { name => 'xtree, pg_prewarm',      table => 'restart_xtree', predictive => 'off', prewarm => 1 },
    { name => 'gist, nothing',          table => 'restart_gist',  predictive => 'off', prewarm => 0 },
    { name => 'gist, pg_prewarm',       table => 'restart_gist',  predictive => 'off', prewarm => 1 },
);
my $QUERIES = 16;
my $PAUSE   = 3;    # seconds between the start and the first query, in which somebody may read ahead

sub run {
    my ($db, $opt, $control) = @_;
    my $prewarm = $db->value(q{SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_prewarm'});
    print "\nrestart: pg_prewarm SKIPPED, it is not installed\n" unless $prewarm;
    my @ways = grep { $prewarm || !$_->{prewarm} } @WAYS;
    for (['restart_xtree', 'xtree'], ['restart_gist', 'gist']) {
        my ($name, $method) = @$_;
        $db->seed(0.61);
        Bench::Strips::make($db, 'points', $name, $opt->rows(3_000_000, 100_000), $method);
    }
    my $rounds = $opt->{rounds} < 3 ? $opt->{rounds} : 3;
    my %sample;
    for my $round (1 .. $rounds) {
        for my $way (@ways) { push @{ $sample{ $way->{name} } }, _restart($db, $control, $way, $round) }
    }
    $db->do("ALTER SYSTEM RESET $_") for 'shared_preload_libraries', 'xtree.predictive_load';
    $control->restart;
    Bench::Strips::plans($db, 'bitmap');
    Bench::Strips::compare($db, $_, 1, 2) for 'restart_xtree', 'restart_gist';
    my @figures = map { _figure($_, $sample{ $_->{name} }) } @ways;
    _report(\@figures);
    $db->do("DROP TABLE $_") for 'restart_xtree', 'restart_gist';
    my %figure = map { $_->{name} => $_ } @figures;
    my $ahead = $figure{'xtree, predictive_load'};
    return { figures => \@figures, targets => [
        Bench::Ratios::target('restart: first queries with predictive_load, us', 'the last before', $ahead->{after}, $ahead->{before}),
        Bench::Ratios::target('restart: first queries with predictive_load, us', 'nothing', $ahead->{after}, $figure{'xtree, nothing'}{after}) ] };
}

# Microseconds a query before and after; the same queries, whose rows are compared.
sub _restart {
    my ($db, $control, $way, $round) = @_;
    $db->do('ALTER SYSTEM SET shared_preload_libraries = ' . join ', ', 'xtree', $way->{prewarm} ? 'pg_prewarm' : ());
    $db->do("ALTER SYSTEM SET xtree.predictive_load = $way->{predictive}");
    $control->restart;
    _queries($db, $way, $round) for 1 .. 4;
    $db->reconnect;
    my ($before, $found) = _queries($db, $way, $round);
    $db->do('CHECKPOINT');
    my @files = $control->files("$way->{table}_i");
    $control->restart(sub { $control->drop_from_cache(@files) });
    select undef, undef, undef, $PAUSE;
    my $cached = $control->resident_bytes(@files);
    my ($after, $again) = _queries($db, $way, $round);
    $db->differ("restart, $way->{name}: $found rows before, $again after") if $found != $again;
    return { before => $before, after => $after, cached => $cached, size => -s $files[0] };
}

# Microseconds a query, and the rows; what any first query of a session reads comes before.
sub _queries {
    my ($db, $way, $round) = @_;
    Bench::Strips::plans($db, 'bitmap');
    $db->do("SELECT us FROM $way->{table}_run(1, 0, true)");
    $db->do("EXPLAIN SELECT count(*) FROM $way->{table} WHERE p <@ box '(0,0),(0.1,0.1)'");
    my $start = $db->value('SELECT extract(epoch FROM clock_timestamp()) * 1e6');
    my (undef, $total) = Bench::Strips::run($db, $way->{table}, $round * 1000, $QUERIES);
    return (($db->value('SELECT extract(epoch FROM clock_timestamp()) * 1e6') - $start) / $QUERIES, $total);
}

sub _figure {
    my ($way, $samples) = @_;
    my %median = map { my $key = $_; $key => median(map { $_->{$key} } @$samples) } qw(before after cached size);
    return { name => $way->{name}, all => [ map { $_->{after} } @$samples ], %median };
}

sub _report {
    my ($figures) = @_;
    my $n = @{ $figures->[0]{all} };
    table("Restart: $QUERIES queries, $PAUSE s after the start, the index's files dropped from the page cache while the server was down (median of $n)", 1,
        [ 'index', 'MB', 'in cache', 'before, us a query', 'after', 'after/before' ],
        map { [ $_->{name}, megabytes($_->{size}), sprintf('%.0f %%', 100 * $_->{cached} / $_->{size}), number($_->{before}), number($_->{after}),
                sprintf '%.2f', $_->{after} / $_->{before} ] } @$figures);
    return;
}

1;
