# The first query after a restart, with nothing of the index in memory: its files are dropped from the page cache, the
# table's are not.  Beside gist on the same rows: xtree loaded by the worker beforehand (option preload), with
# prefetching, and without either.  Wall clock: waiting for the disk is what is measured.
package Bench::Cold;
use strict;
use warnings;
use Bench::Ratios;
use Bench::Stats qw(median);
use Bench::Strips;
use Bench::Text qw(table number megabytes);

my @WAYS = (
    { name => 'xtree, preload',         table => 'cold_preload', prefetch => 32 },
    { name => 'xtree, prefetch',        table => 'cold_xtree',   prefetch => 32 },
    { name => 'xtree, without either',  table => 'cold_xtree',   prefetch => 0 },
    { name => 'gist',                   table => 'cold_gist',    prefetch => 0 },
);
my $LEAST_ROUNDS = 3;

sub run {
    my ($db, $opt, $control) = @_;
    _make($db, $opt->rows(3_000_000, 100_000));
    my $rounds = $opt->{rounds} < $LEAST_ROUNDS ? $LEAST_ROUNDS : $opt->{rounds};
    my %sample;
    for my $round (1 .. $rounds) {
        for my $way (@WAYS) { push @{ $sample{ $way->{name} } }, _first_query($db, $control, $way, $round) }
    }
    for my $round (1 .. $rounds) {    # the same queries of all ways
        my @rows = map { $sample{ $_->{name} }[ $round - 1 ]{rows} } @WAYS;
        $db->differ("cold, query $round: rows " . join ', ', @rows) if grep { $_ != $rows[0] } @rows;
    }
    Bench::Strips::plans($db, 'bitmap');
    Bench::Strips::compare($db, $_, 1, 2) for 'cold_preload', 'cold_xtree', 'cold_gist';
    my @figures = map { _figure($_, $sample{ $_->{name} }) } @WAYS;
    _report(\@figures);
    my %ms = map { $_->{name} => $_->{ms} } @figures;
    $db->do("DROP TABLE $_") for 'cold_preload', 'cold_xtree', 'cold_gist';
    return { figures => \@figures, targets => [
        map { Bench::Ratios::target("cold start: first query, $_, ms", 'gist', $ms{$_}, $ms{gist}) } map { $_->{name} } @WAYS[ 0 .. 2 ] ] };
}

sub _make {
    my ($db, $rows) = @_;
    for (['cold_xtree', 'xtree'], ['cold_preload', 'xtree', 'preload = true'], ['cold_gist', 'gist']) {
        my ($name, $method, $options) = @$_;
        $db->seed(0.31);
        Bench::Strips::make($db, 'points', $name, $rows, $method, $options);
    }
    Bench::Strips::load($db, 'cold_preload');    # the worker remembers it
    return;
}

sub _first_query {
    my ($db, $control, $way, $round) = @_;
    $db->do('CHECKPOINT');
    $control->restart;
    my $index = "$way->{table}_i";
    my @files = $control->files($index);
    my $loaded = 0;
    if ($way->{name} =~ /preload/) {
        $loaded = _await_load($db, $control, $way->{table}, @files);
    } else {
        $control->drop_from_cache(@files);
    }
    Bench::Strips::plans($db, 'bitmap');
    $db->do("SET xtree.prefetch_limit = $way->{prefetch}");
    _warm_catalogs($db, $way->{table});
    my $cached = $control->resident_bytes(@files);
    my $before = Bench::Strips::counted($db, $way->{table});
    my $start  = $db->value('SELECT extract(epoch FROM clock_timestamp()) * 1e6');
    my ($us, $rows) = Bench::Strips::run($db, $way->{table}, $round, 1);
    $us = $db->value('SELECT extract(epoch FROM clock_timestamp()) * 1e6') - $start;
    my $after = Bench::Strips::counted($db, $way->{table});
    my %delta = map { $_ => $after ? $after->{$_} - $before->{$_} : 0 } qw(prefetches mapped_reads buffer_reads);
    return { ms => $us / 1000, rows => $rows, cached => $cached, loaded => $loaded, size => -s $files[0], prefetches => $delta{prefetches},
             pages => $after ? $delta{mapped_reads} + $delta{buffer_reads} : undef };
}

# Milliseconds that the worker needs until the index, dropped from memory before, is in it again.
sub _await_load {
    my ($db, $control, $table, @files) = @_;
    $db->value("SELECT xtree_unload('${table}_i')");    # nobody has it in use
    $control->drop_from_cache(@files);
    my $left  = $control->resident_bytes(@files);
    my $start = $db->value('SELECT extract(epoch FROM clock_timestamp()) * 1e3');
    $control->restart;
    for (1 .. 600) {
        my $state = Bench::Strips::counted($db, $table);
        return $db->value('SELECT extract(epoch FROM clock_timestamp()) * 1e3') - $start
            if $state->{state} eq 'loaded' && $control->resident_bytes(@files) >= 0.99 * $state->{size};
        select undef, undef, undef, 0.05;
    }
    die "cold: the index was not loaded before its first use ($left bytes were in memory)\n";
}

# What any first query of a session reads: catalogs and the function, by queries that end at once and touch no index page.
sub _warm_catalogs {
    my ($db, $table) = @_;
    $db->do("SELECT us FROM ${table}_run(1, 0, true)");
    $db->do("EXPLAIN SELECT count(*) FROM ${table} WHERE p <@ box '(0,0),(0.1,0.1)'");
    return;
}

sub _figure {
    my ($way, $samples) = @_;
    my %median = map { my $key = $_; $key => median(map { $_->{$key} } @$samples) } qw(ms cached loaded size prefetches);
    $median{pages} = median(grep { defined } map { $_->{pages} } @$samples);
    return { name => $way->{name}, all => [ map { $_->{ms} } @$samples ], %median };
}

sub _report {
    my ($figures) = @_;
    my $n = @{ $figures->[0]{all} };
    table("Cold start: first query after a restart, the index's files dropped from the page cache (median of $n)", 1,
        [ 'index', 'MB', 'in cache before', 'loaded by worker, ms', 'pages', 'asked for ahead', 'first query ms', 'least', 'most' ],
        map { my @sorted = sort { $a <=> $b } @{ $_->{all} };
              [ $_->{name}, megabytes($_->{size}), sprintf('%.0f %%', 100 * $_->{cached} / $_->{size}), $_->{loaded} ? number($_->{loaded}) : '',
                $_->{pages}, $_->{prefetches}, number($_->{ms}), number($sorted[0]), number($sorted[-1]) ] } @$figures);
    return;
}

1;
