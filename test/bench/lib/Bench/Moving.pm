# Positions that move: a day in fast motion. Each round every vehicle drives on in its own direction and VACUUM follows; in the end 10 % are deleted.
# Size and latencies when the index is new, after the rounds, and after REINDEX, beside gist on a table that was changed by the same statements.
package Bench::Moving;
use strict;
use warnings;
use Bench::Ratios;
use Bench::Stats qw(median);
use Bench::Text qw(table number);

my $SIDE    = 1000;
my $ROUNDS  = 40;
my $QUERIES = 300;    # in one call
my @METHODS = qw(xtree gist);
my @STAGES  = ('new', 'after the rounds', 'after REINDEX');
# %s: table, number of the query. Windows of about a hundred rows.
my %QUESTION = (
    'window of 100' => 'SELECT count(*) AS n, coalesce(sum(id), 0) AS s FROM %1$s WHERE p <@ box(point(x, y), point(x + %2$f, y + %2$f))',
    'nearest 10'    => 'SELECT count(*) AS n, coalesce(sum(id), 0) AS s FROM (SELECT id FROM %1$s ORDER BY p <-> point(x, y) LIMIT 10) n',
);

sub run {
    my ($db, $opt) = @_;
    my $rows = $opt->rows(150_000, 10_000);
    _make($db, $rows);
    my (%mb, %us, %answer, %round_us);
    my $look = sub {
        my ($stage) = @_;
        for my $method (@METHODS) {
            $mb{$stage}{$method} = $db->value("SELECT pg_relation_size('moving_${method}_p')") / 2**20;
            for my $question (sort keys %QUESTION) {
                my ($us, $answer) = _ask($db, $opt, $method, $question, $rows);
                $us{$stage}{$question}{$method} = $us;
                $answer{"$stage, $question"}{$answer} = 1;
            }
        }
    };
    $look->($STAGES[0]);
    for my $round (1 .. $ROUNDS) {
        for my $method (@METHODS) {
            my $start = $db->clock;
            $db->do("UPDATE moving_$method SET p = point(mod((p[0] + vx + $SIDE)::numeric, $SIDE), mod((p[1] + vy + $SIDE)::numeric, $SIDE))");
            push @{ $round_us{$method} }, ($db->clock - $start) / $rows;
            $db->do("VACUUM moving_$method");
        }
    }
    $db->do("DELETE FROM moving_$_ WHERE id % 10 = 0") for @METHODS;
    $db->do("VACUUM (ANALYZE) moving_$_")              for @METHODS;
    $look->($STAGES[1]);
    $db->do("REINDEX INDEX moving_${_}_p") for @METHODS;
    $look->($STAGES[2]);
    $db->differ("moving, $_: " . join ' and ', sort keys %{ $answer{$_} }) for grep { keys %{ $answer{$_} } > 1 } sort keys %answer;
    $db->do("DROP TABLE moving_$_") for @METHODS;
    $db->do("RESET $_") for qw(enable_seqscan enable_bitmapscan);
    my @questions = sort keys %QUESTION;
    table("$rows vehicles, $ROUNDS rounds of moves with VACUUM, 10 % deleted (medians of $opt->{rounds}, us)", 2,
        [ 'index', 'method', 'MB', @questions ],
        map { my $stage = $_; map { my $m = $_; [ $stage, $m, number($mb{$stage}{$m}), map { number($us{$stage}{$_}{$m}) } @questions ] } @METHODS } @STAGES);
    printf "A moved row takes %s us with xtree, %s with gist (medians of the rounds, table and index).\n", map { number(median(@{ $round_us{$_} })) } @METHODS;
    my $after = $STAGES[1];
    return { figures => { mb => \%mb, us => \%us, moves => \%round_us }, targets => [
        Bench::Ratios::target('moving: size, MB', 'gist', $mb{$after}{xtree}, $mb{$after}{gist}, 1),
        map { Bench::Ratios::target("moving: $_, us", 'gist', $us{$after}{$_}{xtree}, $us{$after}{$_}{gist}, 1) } @questions ] };
}

sub _make {
    my ($db, $rows) = @_;
    for my $method (@METHODS) {
        $db->seed(0.29);
        $db->do("CREATE TABLE moving_$method AS SELECT g AS id, point(random() * $SIDE, random() * $SIDE) AS p, random() * 20 - 10 AS vx, random() * 20 - 10 AS vy
            FROM generate_series(1, $rows) g");
        $db->do("CREATE INDEX moving_${method}_p ON moving_$method USING $method (p)");
        $db->do("VACUUM (ANALYZE) moving_$method");
    }
    return;
}

# Microseconds for one query, and all answers together.
sub _ask {
    my ($db, $opt, $method, $question, $rows) = @_;
    my $sql = sprintf $QUESTION{$question}, "moving_$method", $SIDE * sqrt(100 / $rows);
    $db->do("SET $_ = off") for qw(enable_seqscan enable_bitmapscan);
    my (@us, $answer);
    for (0 .. $opt->{rounds}) {
        my $start = $db->clock;
        $answer = join ' ', $db->row("SELECT sum(n), sum(s) FROM (SELECT mod(g * 7919, $SIDE) + 0.25 AS x, mod(g * 104729, $SIDE) + 0.75 AS y FROM generate_series(1, $QUERIES) g) q, LATERAL ($sql) a");
        push @us, ($db->clock - $start) / $QUERIES if $_ > 0;    # the first warms up
    }
    return (median(@us), $answer);
}

1;
