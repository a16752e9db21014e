# A hot index, all in memory: the same queries through the mapping and through shared buffers (xtree.use_mmap), round
# by round in turn, with one session, with two at a time, and while another session writes to the table.
package Bench::Hot;
use strict;
use warnings;
use DBD::Pg qw(:async);
use Bench::Ratios;
use Bench::Stats qw(median);
use Bench::Strips;
use Bench::Text qw(table number megabytes);

my %MODE = (mapping => 'auto', buffers => 'off');
my @MODES = qw(mapping buffers);

sub run {
    my ($db, $opt, $control) = @_;
    my (@figures, @targets);
    for my $full (2_200_000, 8_000_000) {
        my $rows = $opt->rows($full, 50_000);
        Bench::Strips::make($db, 'columns', 'hot', $rows, 'xtree');
        Bench::Strips::plans($db, 'bitmap');
        my ($us) = Bench::Strips::run($db, 'hot', 1, Bench::Strips::queries());    # buffers are filled
        my $title = megabytes($db->value("SELECT pg_relation_size('hot_i')")) . ' MB';
        push @figures, map { { %$_, title => $title } } _measure($db, $opt);
        $db->do('DROP TABLE hot');
    }
    _report(\@figures);
    for (@figures) {
        push @targets, Bench::Ratios::target("hot: $_->{title}, $_->{load}, us per $_->{unit}", 'buffers', @{ $_->{us} }{@MODES}, $_->{most});
    }
    return { figures => \@figures, targets => \@targets };
}

sub _measure {
    my ($db, $opt) = @_;
    my @session = ($db, $db->session);
    Bench::Strips::plans($_, 'bitmap') for @session;
    Bench::Strips::load($_, 'hot') or die "hot: the index cannot be mapped\n" for @session;
    Bench::Strips::compare($db, 'hot', 1, 4);
    my @figures = (
        _alternate($db, $opt, [ $session[0] ], 'one session',  0.7),
        _alternate($db, $opt, \@session,       'two sessions', 0.7),
        _beside_writes($db, $opt, $session[0]),
    );
    Bench::Strips::compare($db, 'hot', 1, 4);
    $session[1]->disconnect;
    return @figures;
}

# Time per page visit: of the slices, less that of queries that end at the root, by the pages between them.
sub _alternate {
    my ($db, $opt, $sessions, $load, $most) = @_;
    my (%us, %pages, %whole);
    my $count = Bench::Strips::queries();
    for my $round (0 .. $opt->{rounds}) {
        for my $mode ($round % 2 ? @MODES : reverse @MODES) {
            my ($slices, $visits, $nothing, $root) = map { _together($db, $sessions, $mode, $count, $_) } 0, 1;
            next if $round == 0;    # warms up
            push @{ $us{$mode} },    ($slices - $nothing) / ($visits - $root);
            push @{ $whole{$mode} }, $slices / $count / @$sessions;
            push @{ $pages{$mode} }, $visits / $count / @$sessions;
        }
    }
    return { load => $load, unit => 'page', most => $most, _medians(\%us, \%whole, \%pages) };
}

# Microseconds and pages of all sessions, which run the same queries at the same time.
sub _together {
    my ($db, $sessions, $mode, $count, $outside) = @_;
    $_->do("SET xtree.use_mmap = $MODE{$mode}") for @$sessions;
    my $before = Bench::Strips::counted($db, 'hot');
    my ($us, @total) = (0);
    for my $session (@$sessions[ 1 .. $#$sessions ]) {
        $session->{running} = $session->{dbh}->prepare("SELECT us, total FROM hot_run(1, $count, " . ($outside ? 'true' : 'false') . ')',
            { pg_async => PG_ASYNC });
        $session->{running}->execute;
    }
    my @answers = [ Bench::Strips::run($sessions->[0], 'hot', 1, $count, $outside) ];
    for my $session (@$sessions[ 1 .. $#$sessions ]) {
        $session->{dbh}->pg_result;
        push @answers, [ $session->{running}->fetchrow_array ];
        $session->{running}->finish;
    }
    for (@answers) {
        $us += $_->[0];
        $db->differ("hot: $_->[1] rows in one session, $answers[0][1] in another") if $_->[1] != $answers[0][1];
    }
    my $after = Bench::Strips::counted($db, 'hot');
    my %delta = map { $_ => $after->{$_} - $before->{$_} } qw(mapped_reads buffer_reads);
    die "hot: the pages were not read as they should ($mode: $delta{mapped_reads} mapped, $delta{buffer_reads} by buffers)\n"
        if $mode eq 'mapping' ? $delta{buffer_reads} > $delta{mapped_reads} / 10 : $delta{mapped_reads};
    return ($us, $delta{mapped_reads} + $delta{buffer_reads});
}

sub _medians {
    my ($us, $whole, $pages) = @_;
    return (us => { map { $_ => median(@{ $us->{$_} }) } @MODES }, all => $us,
            whole => { map { $_ => median(@{ $whole->{$_} }) } @MODES }, pages => median(@{ $pages->{buffers} }));
}

# Whole queries while another session inserts, updates and commits as fast as it can.
sub _beside_writes {
    my ($db, $opt, $session) = @_;
    my $writer = $db->session;
    $writer->do(<<'SQL');
CREATE OR REPLACE PROCEDURE hot_write() LANGUAGE plpgsql AS $$
BEGIN
    FOR batch IN 1 .. 1000000000 LOOP
        INSERT INTO hot SELECT random(), random(), random() FROM generate_series(1, 50);
        COMMIT;
    END LOOP;
END $$
SQL
    my $rows = $db->value('SELECT count(*) FROM hot');
    $writer->{dbh}->do('CALL hot_write()', { pg_async => PG_ASYNC });
    my $figure = _alternate_beside_writes($db, $opt, $session);
    $writer->{dbh}->pg_cancel;
    undef $writer->{dbh};
    $figure->{written} = $db->value('SELECT count(*) FROM hot') - $rows;
    return $figure;
}

sub _alternate_beside_writes {
    my ($db, $opt, $session) = @_;
    my $count = Bench::Strips::queries();
    my (%us, $mapped, $pages, $retries);
    for my $round (0 .. 2 * $opt->{rounds}) {
        for my $mode ($round % 2 ? @MODES : reverse @MODES) {
            $session->do("SET xtree.use_mmap = $MODE{$mode}");
            my $before = Bench::Strips::counted($db, 'hot');
            my ($us) = Bench::Strips::run($session, 'hot', 1, $count);
            my $after = Bench::Strips::counted($db, 'hot');
            next if $round == 0;
            push @{ $us{$mode} }, $us / $count;
            next if $mode eq 'buffers';
            $mapped  += $after->{mapped_reads} - $before->{mapped_reads};
            $retries += $after->{retries} - $before->{retries};
            $pages   += $after->{mapped_reads} + $after->{buffer_reads} - $before->{mapped_reads} - $before->{buffer_reads};
        }
    }
    return { load => 'beside writes', unit => 'query', most => 1.05, _medians(\%us, \%us, { buffers => [ $pages / $count / 2 / $opt->{rounds} ] }),
             mapped => $mapped / $pages, retries => $retries };
}

sub _report {
    my ($figures) = @_;
    table('Hot index: the same queries through the mapping and through shared buffers (medians of rounds in turn)', 2,
        [ 'index', 'load', 'pages/query', 'mapping us/query', 'buffers us/query', 'ratio', 'mapping us/page', 'buffers us/page', 'ratio', 'at most', 'mapped', 'retries', 'written' ],
        map { my ($f, $page) = ($_, $_->{unit} eq 'page');
              [ $f->{title}, $f->{load}, number($f->{pages}), (map { number($f->{whole}{$_}) } @MODES), number($f->{whole}{mapping} / $f->{whole}{buffers}),
                ($page ? ((map { sprintf '%.3f', $f->{us}{$_} } @MODES), number($f->{us}{mapping} / $f->{us}{buffers})) : ('', '', '')), number($f->{most}),
                $page ? ('all', '', '') : (sprintf('%.0f %%', 100 * $f->{mapped}), $f->{retries}, $f->{written}) ] } @$figures);
    return;
}

1;
