# One query: what the planner expects and chooses with each value of xtree.estimate_rows, and how long that takes beside
# every other plan that it can be made to choose, by turning its switches and hiding indexes.  The plans take turns, three
# rounds, and the median counts; one that takes some times as long as the best so far is given up.  All answers are
# compared.
package Bench::Plans::Trial;
use strict;
use warnings;
use Bench::Plans::Choice;
use Bench::Plans::Shape;
use Bench::Stats qw(mean median);
use List::Util qw(first uniq);

my $ROUNDS      = 3;
my $LONGEST_MS  = 30_000;    # of the plans that the planner chooses by itself
my $LEAST_MS    = 100;       # that any plan is given
my $GIVEN_UP    = 4;         # times the best so far
my $OUT_OF_RACE = 2;         # times the best, in the first round
my $MOST_PLANS  = 150;
my $LAST_ROUNDS = 5;         # of the best and the chosen ones, once it is known which is best

# What is turned off: of scans, together with each of the sorts or of the joins.
my @SCANS = ([], [qw(seqscan)], [qw(bitmapscan)], [qw(indexonlyscan)], [qw(indexscan indexonlyscan)], [qw(seqscan bitmapscan)],
    [qw(seqscan bitmapscan indexonlyscan)], [qw(seqscan indexscan indexonlyscan)], [qw(bitmapscan indexscan indexonlyscan)]);
my @SORTS = ([], [qw(sort)]);
my @JOINS = ([], [qw(nestloop)], [qw(hashjoin)], [qw(mergejoin)], [qw(hashjoin mergejoin)], [qw(nestloop mergejoin)], [qw(nestloop hashjoin)],
    [qw(material)], [qw(hashjoin mergejoin material memoize)]);

sub run {
    my ($db, $modes, $query) = @_;
    my $indexes  = _indexes($db, $query);
    my %estimate = map { $_ => _planned($db, $query, { estimates => @$modes > 1 ? $_ : undef }) } @$modes;
    my $plans    = _plans($db, $query, $indexes, [ @estimate{@$modes} ]);
    my ($best, $answer) = _race($db, $query, $plans);
    my $truth    = _truth($db, $query, $answer);
    my $figures  = sub { my ($of) = @_; return { _figures($of, $truth), %{ _summary($of->{as}) }, ratio => _ratio($of->{as}, $best) } };
    return {
        name => $query->{name}, truth => $truth, best => $best && _summary($best), plans => [ map { _summary($_) } @$plans ],
        mode => { map { $_ => $figures->($estimate{$_}) } @$modes },
        $query->{geometry} ? (postgis => { _figures(_own_estimate($db, $query, $indexes, $modes), $truth) }) : (),
    };
}

# table => its indexes, each a name and an access method.
sub _indexes {
    my ($db, $query) = @_;
    my %indexes;
    for my $table (uniq @{ $query->{tables} }) {
        $indexes{$table} = $db->{dbh}->selectall_arrayref(<<"SQL");
SELECT c.relname, a.amname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam
 WHERE i.indrelid = '$table'::regclass ORDER BY 1
SQL
    }
    return \%indexes;
}

# A plan: choice (what leads to it), name, key, cost, rows (expected).
sub _planned {
    my ($db, $query, $choice) = @_;
    my $plan;
    Bench::Plans::Choice::inside($db, $choice, sub { $plan = _prepared($db, $query, $choice) }) or die "$query->{name}: planning took too long\n";
    return $plan;
}

# Within a transaction.
sub _prepared {
    my ($db, $query, $choice) = @_;
    Bench::Plans::Choice::prepare($db, $query);
    my $plan = Bench::Plans::Choice::plan($db, $query);
    Bench::Plans::Choice::forget($db);
    return { choice => $choice, name => Bench::Plans::Shape::name($plan), key => Bench::Plans::Shape::key($plan),
             cost => $plan->{'Total Cost'}, rows => Bench::Plans::Shape::rows($plan) };
}

# What PostGIS says of geometries when no index of xtree is there.
sub _own_estimate {
    my ($db, $query, $indexes, $modes) = @_;
    my @hidden = map { $_->[0] } grep { $_->[1] eq 'xtree' } map { @$_ } values %$indexes;
    return _planned($db, $query, { estimates => @$modes > 1 ? 'off' : undef, hidden => \@hidden });
}

# Nothing, each index, and of a table with several all but one.
sub _hidden {
    my ($indexes) = @_;
    my @sets = ([]);
    for my $table (sort keys %$indexes) {
        my @names = map { $_->[0] } @{ $indexes->{$table} };
        push @sets, map { [$_] } @names;
        push @sets, map { my $kept = $_; [ grep { $_ ne $kept } @names ] } @names if @names > 2;
    }
    return @sets;
}

sub _switches {
    my ($query) = @_;
    my @second = @{ $query->{tables} } > 1 ? @JOINS : $query->{order} ? @SORTS : [];
    return map { my $scans = $_; map { [ map { "enable_$_" } @$scans, @$_ ] } @second } @SCANS;
}

# All distinct plans, first those that the planner chooses by itself, then by cost.
sub _plans {
    my ($db, $query, $indexes, $chosen) = @_;
    my %plan;
    for my $plan (@$chosen) {
        $plan->{as} = $plan{ $plan->{key} } //= $plan;
        $plan->{as}{chosen} = 1;
    }
    for my $hidden (_hidden($indexes)) {
        my %base = (estimates => $chosen->[0]{choice}{estimates}, hidden => $hidden);
        Bench::Plans::Choice::inside($db, \%base, sub {
            for my $off (_switches($query)) {
                my $choice = { %base, off => $off };
                Bench::Plans::Choice::turn($db, $choice);
                my $plan = _prepared($db, $query, $choice);
                $plan{ $plan->{key} } //= $plan;
            }
        }) or die "$query->{name}: planning took too long\n";
    }
    my @others = sort { _cost($a) <=> _cost($b) || $a->{key} cmp $b->{key} } grep { !$_->{chosen} } values %plan;
    my @plans  = (uniq(map { $_->{as} } @$chosen), @others);
    print "\nplans: $query->{name}: ", scalar @plans, " plans, of which the first $MOST_PLANS are tried\n" if @plans > $MOST_PLANS;
    return [ splice @plans, 0, $MOST_PLANS ];
}

# Without the fine for what is switched off.
sub _cost { my ($plan) = @_; return $plan->{cost} - 1e10 * int($plan->{cost} / 1e10) }

# Sets the plans' times: ms, or the limit that was too short, over.  Returns the best plan and the answer.  The best of many is
# also the luckiest, so the best and the chosen ones are measured once more for themselves.
sub _race {
    my ($db, $query, $plans) = @_;
    my $answer = _first_rounds($db, $query, $plans);
    my $best   = _best(@$plans) or return;
    my @last   = uniq($best, grep { $_->{chosen} && $_->{ms} } @$plans);
    my %again;
    for my $round (1 .. $LAST_ROUNDS) {
        push @{ $again{$_} }, _time($db, $query, $_, $LONGEST_MS, \$answer) // () for $round % 2 ? @last : reverse @last;
    }
    $_->{ms} = median(@{ $again{$_} }) // $_->{ms} for @last;
    return (_best(@last), $answer);
}

sub _best { my (@plans) = @_; return (sort { $a->{ms} <=> $b->{ms} } grep { $_->{ms} } @plans)[0] }

sub _first_rounds {
    my ($db, $query, $plans) = @_;
    my ($answer, $best);
    for my $plan (@$plans) {
        my $limit = !$best || $plan->{chosen} ? $LONGEST_MS : $GIVEN_UP * $best > $LEAST_MS ? $GIVEN_UP * $best : $LEAST_MS;
        my $ms    = _time($db, $query, $plan, $limit, \$answer);
        $plan->{times} = [ $ms // () ];
        $plan->{over}  = $limit unless defined $ms;
        $best = $ms if defined $ms && (!$best || $ms < $best);
    }
    my @racing = grep { $_->{times}[0] && ($_->{chosen} || $_->{times}[0] <= $OUT_OF_RACE * $best) } @$plans;
    for my $round (2 .. $ROUNDS) {
        push @{ $_->{times} }, _time($db, $query, $_, $LONGEST_MS, \$answer) // () for $round % 2 ? @racing : reverse @racing;
    }
    $_->{ms} = median(@{ $_->{times} }) for @$plans;
    return $answer;
}

# Milliseconds, or undef when the limit was too short.  In the first round the answer is taken too, or compared.
sub _time {
    my ($db, $query, $plan, $limit, $answer) = @_;
    my ($found, $ms, $rows);
    Bench::Plans::Choice::inside($db, $plan->{choice}, sub {
        Bench::Plans::Choice::limit($db, $limit);
        Bench::Plans::Choice::prepare($db, $query);
        $found = Bench::Plans::Choice::answers($db, $query) unless $plan->{times};
        ($ms, $rows) = Bench::Plans::Choice::run($db, $query);
    });
    if ($found) {
        $$answer //= { plan => $plan->{name}, found => $found };
        _compare($db, $query, $plan->{name}, $$answer, $found);
    }
    _compare_rows($db, $query, $plan->{name}, $$answer, $rows) if defined $ms;
    return $ms;
}

sub _compare {
    my ($db, $query, $name, $answer, $found) = @_;
    my ($wrong) = grep { "@{ $found->[$_] }" ne "@{ $answer->{found}[$_] }" } 0 .. $#$found;
    return unless defined $wrong;
    my ($this, $that) = map { sprintf '%s rows, digest %s', @{ $_->[$wrong] } } $found, $answer->{found};
    $db->differ("plans, $query->{name}: $this by $name, $that by $answer->{plan}");
    return;
}

sub _compare_rows {
    my ($db, $query, $name, $answer, $rows) = @_;
    my $wrong = first { $rows->[$_] != $answer->{found}[$_][0] } 0 .. $#$rows;
    $db->differ("plans, $query->{name}: $rows->[$wrong] rows by $name, $answer->{found}[$wrong][0] by $answer->{plan}") if defined $wrong;
    return;
}

# How many rows there are, of a query for the nearest without its LIMIT; of several arguments the mean.
sub _truth {
    my ($db, $query, $answer) = @_;
    return $db->value("SELECT count(*) FROM $query->{from} WHERE $query->{where}") if $query->{order};
    return $answer && mean(map { $_->[0] } @{ $answer->{found} });
}

sub _figures { my ($estimate, $truth) = @_; return (rows => $estimate->{rows}, factor => _factor($estimate->{rows}, $truth)) }

# How many times too many or too few, of rows that are one at least.
sub _factor {
    my ($expected, $truth) = @_;
    return undef unless defined $truth;
    my ($less, $more) = sort { $a <=> $b } map { $_ < 1 ? 1 : $_ } $expected, $truth;
    return $more / $less;
}

sub _ratio { my ($plan, $best) = @_; return $best && ($plan->{ms} // $plan->{over}) / $best->{ms} }

sub _summary { my ($plan) = @_; return { plan => $plan->{name}, all => $plan->{times}, map { $_ => $plan->{$_} } qw(ms over choice) } }

1;
