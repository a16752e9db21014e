#!/usr/bin/perl
# Shows that the oracle can fail: wrong operator classes, an index that misses
# rows, one that keeps dead rows, answers to another question than was asked, and
# answers and errors that the comparison must refuse.
#
# Usage: self-test.pl [--host DIR --port N --am xtree]; without --host only the
# parts that need no server run. Prints TAP.
# Locks: those of oracle.pl, which it runs in schemas of its own.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Temp qw(tempdir);
use Getopt::Long;
use Test::More;
use Oracle::Compare;
use Oracle::Errors;
use Oracle::Network;
use Oracle::Random;
use Oracle::Range;
use Oracle::Shrink;

my %opt = (port => 5432, am => 'btree', user => 'postgres', seconds => 60);
GetOptions(\%opt, 'host=s', 'port=i', 'am=s', 'user=s', 'seconds=i') or exit 2;

# --- verdicts -------------------------------------------------------------------------

sub knn { return Oracle::Compare::knn_verdict(@_) }

sub test_sets {
    my $same = Oracle::Compare::set_verdict([ 'a', 'b', 'b' ], [ 'b', 'a', 'b' ]);
    ok(!$same, 'order does not matter in a set');
    my $lost = Oracle::Compare::set_verdict([ 'a', 'b', 'b' ], [ 'a', 'b' ]);
    is_deeply([ @$lost{qw(missing extra)} ], [ ['b'], [] ], 'a lost duplicate is missing');
    ok(Oracle::Compare::set_verdict(['-0'], ['0']), '-0 and 0 are different texts');
    return;
}

sub test_knn {
    my @truth = ('1|0', '2|1', '3|1', '4|2');
    ok(!knn(\@truth, [ '1|0', '3|1', '2|1', '4|2' ], undef), 'ties in any order');
    ok(!knn(\@truth, [ '1|0', '3|1' ], 2), 'LIMIT may cut a tie anywhere');
    ok(knn(\@truth, [ '1|0', '4|1' ], 2), 'but not with a row that has another distance');
    ok(knn(\@truth, [ '2|1', '1|0', '3|1', '4|2' ], undef), 'wrong order');
    ok(knn(\@truth, [ '1|0', '2|1', '2|1', '4|2' ], undef), 'a row twice');
    ok(knn(\@truth, [ '1|0', '2|1', '3|1' ], undef), 'a row too few');
    ok(knn(\@truth, [ '1|0', '2|1' ], 3), 'fewer rows than the LIMIT');
    ok(knn(\@truth, [ '1|0', '2|1', '3|1', '5|2' ], undef), 'another row at the last distance');
    ok(!knn([ '1|0', '2|NaN', '3|\N' ], [ '1|0', '2|NaN', '3|\N' ], undef), 'NaN and NULL distances come last');
    return;
}

sub test_scroll {
    my @all = map { "r$_" } 1 .. 5;
    my $check = sub { return Oracle::Compare::scroll_mismatch(\@all, [@_]) };
    ok(!$check->([ 'FORWARD', 3, [qw(r1 r2 r3)] ], [ 'BACKWARD', 2, [qw(r2 r1)] ], [ 'FORWARD', 9, [qw(r2 r3 r4 r5)] ],
        [ 'BACKWARD', 1, ['r5'] ]), 'a cursor moved both ways');
    ok($check->([ 'FORWARD', 3, [qw(r1 r2 r3)] ], [ 'BACKWARD', 2, [qw(r1 r2)] ]), 'rows in the wrong order on the way back');
    return;
}

# Thousands of rows at one distance, of which a LIMIT takes any.
sub test_ties {
    my @truth = ('1|0', (map { "$_|5" } 2 .. 3000), '3001|7');
    ok(!knn(\@truth, [ '1|0', '2999|5', '77|5' ], 3), 'any of the rows at the distance that the LIMIT cuts');
    ok(knn(\@truth, [ '1|0', '77|5', '77|5' ], 3), 'but each once');
    ok(knn(\@truth, [ '77|5', '78|5', '79|5' ], 3), 'and no nearer row left out');
    ok(knn(\@truth, [ '1|0', '3001|5', '77|5' ], 3), 'nor one of another distance put in');
    return;
}

sub test_lateral {
    my @truth = ('1|10|0', '1|11|2', '1|12|2', '2|10|1');
    my $check = sub { return Oracle::Compare::lateral_verdict(\@truth, [@_], 2) };
    ok(!$check->('2|10|1', '1|10|0', '1|12|2'), 'outer rows in any order, ties cut anywhere');
    ok($check->('1|10|0', '1|11|2'), 'an outer row without its answer');
    ok($check->('1|10|0', '1|11|2', '2|11|1'), 'another row at the distance');
    ok($check->('1|11|2', '1|12|2', '2|10|1'), 'the nearest row of one outer row left out');
    return;
}

sub test_errors {
    my @part = ([], 'none');
    my $outcome = sub {
        my ($without, $with, $of_part) = @_;
        my $q = { shape => 'rows', quals => [ 'filter', 'served' ] };
        return Oracle::Errors::error_outcome($q, { state => $without }, { state => $with }, sub { $_[0] eq 'served' }, sub { @part = $_[0]{quals}; { state => $of_part } });
    };
    is($outcome->('22003', '22003'), 'agreed',  'the same error on both sides');
    is($outcome->('22003', undef),   'skipped', 'an evaluation error only without the index decides nothing');
    is($outcome->(undef, '22003', undef), 'failed',  'an error only through the index');
    is($outcome->(undef, '22003', '22003'), 'excused', 'unless the conditions of the index raise it by themselves');
    is_deeply($part[0], ['served'], 'which are asked without the others');
    is($outcome->(undef, '22003', '22012'), 'failed',  'another error is no excuse');
    is($outcome->('XX000', undef),   'failed',  'an internal error only without the index');
    is($outcome->(undef, 'XX000', 'XX000'), 'failed', 'an internal error only through the index');
    my @last = map { $_->{quals}[-1] } Oracle::Errors::reduced_queries({ shape => 'rows', quals => [] }, 'a IS NULL', 'overflows');
    is_deeply(\@last, [ 'a IS NULL', 'overflows' ], 'each condition of the index is tested after the others');
    is(scalar(Oracle::Errors::reduced_queries({ shape => 'knn', quals => ['filter'] })), 0, 'a distance has no excuse');
    return;
}

{
    package CountingSession;
    sub query { return { rows => [ $_[0]{count} ] } }
}

# What a sort makes unique is no answer where NaN equals every number.
sub test_cubes {
    my $undefined = sub {
        my ($op, $plan, $probe, $count) = @_;
        my $q = { probes => [ [ 1, $probe ] ], ops => [ [ 'cube', $op, 'cube' ] ] };
        return Oracle::Compare::intransitive(bless({ count => $count }, 'CountingSession'), 'a', $q, $plan);
    };
    ok($undefined->('=', 'Nested Loop\n -> Unique', "'(NaN)'::cube", 0), 'cubes that a sort made unique, one of them NaN');
    ok($undefined->('=', 'Merge Semi Join',          "'(1)'::cube", 1), 'or merged with NaN in the table');
    ok(!$undefined->('=', 'Merge Semi Join',         "'(1)'::cube", 0), 'but without NaN they are compared');
    ok(!$undefined->('=', 'Nested Loop Semi Join',   "'(NaN)'::cube", 1), 'and pair by pair');
    ok(!$undefined->('&&', 'Nested Loop\n -> Unique', "'(NaN)'::cube", 1), 'and with every other operator');
    return;
}

# Bounds of ranges over subtypes of one's own are ordered here as the server orders them.
sub test_orders {
    my @networks = ('10.0.0.0/8', '10.0.0.1/8', '10.0.0.0/9', '10.0.0.0/32', '10.128.0.0/9', '11.0.0.0/7', '2001:0:0:0:0:0:0:1/64');
    is_deeply([ sort { Oracle::Network::compare_networks($a, $b) } reverse @networks ], [ @networks[ 5, 0 .. 4, 6 ] ], 'networks');
    is(Oracle::Range::compare('interval', '1 mons', '720 hours'), 0, 'a month is 30 days of 24 hours');
    is(Oracle::Range::compare('interval', '-1 days', '-25 hours'), 1, 'intervals below zero');
    return;
}

sub test_random {
    my @streams = map { seed(@$_); join(',', map { rnd(1000) } 1 .. 20) } [ 1, 1 ], [ 1, 1 ], [ 1, 2 ], [ 2, 1 ], [ 1, 1, 1 ];
    is($streams[0], $streams[1], 'the same seed gives the same numbers');
    my %different = map { $_ => 1 } @streams;
    is(scalar keys %different, 4, 'other seeds, tables and writers give others');
    return;
}

# --- faults on a server ------------------------------------------------------------------

my $output = tempdir(CLEANUP => 1);

# Runs the oracle: (exit status, output).
sub oracle {
    my (@arg) = @_;
    my @command = ($^X, "$FindBin::Bin/oracle.pl", '--host', $opt{host}, '--port', $opt{port}, '--user', $opt{user}, '--schema',
        'oracle_self_test', '--output', $output, '--mode', 'single', '--seconds', $opt{seconds}, '--shrink-seconds', 20, @arg);
    open(my $pipe, '-|', @command) or die "cannot run @command: $!\n";
    my $text = do { local $/ = undef; <$pipe> };
    close($pipe);
    return ($? >> 8, $text);
}

my $ROWS = qr/(?:rows|distance|check)/;

# finds(name, what the difference is, options): three tests.
sub finds {
    my ($name, $kind, @arg) = @_;
    my ($status, $text) = oracle(@arg);
    is($status, 1, "$name: a difference is found") or diag($text);
    like($text, qr/minimal reproduction.*^difference: $kind/ms, "$name: with a reproduction");
    like($text, qr/^\d+ passed, 1 failed$/m, "$name: and counted");
    return;
}

# tampered(name, types, what to find in the query for the index, what to put there): as if the index answered that.
sub tampered {
    my ($name, $types, $from, $to, $kind) = @_;
    return finds($name, $kind // $ROWS, '--am', $opt{am}, '--types', $types, '--tamper', "$from=>$to");
}

sub test_tampered {
    tampered('a cut-off that leaves out its edge', 'point', '<= (?!v)', '< ');
    tampered('a cut-off of a lateral join that leaves out its edge', 'point', '<= v\.r', '< v.r');
    tampered('texts compared by their first eight bytes', 'text', q{(c\d+) = ('[^']+'::text)}, 'left(\1, 8) = left(\2, 8)');
    tampered('hosts compared by their networks', 'inet', q{(c\d+) = ('[^']+'::inet)}, 'network(\1) = network(\2)');
    tampered('empty ranges left out', 'oracle_inetrange', 'FROM t WHERE ', 'FROM t WHERE isempty(c1) IS NOT TRUE AND ');
    tampered('a bound of a range over texts cut to eight bytes', 'oracle_crange', q{(c\d+) @> '([^']{9,})'::text}, q{\1 @> left('\2', 8)});
    tampered('infinite points left out', 'point', 'FROM t WHERE ', q{FROM t WHERE abs(c1[0]) IS DISTINCT FROM 'Infinity' AND });
    tampered('an error only through the index', 'box,int4', 'FROM t WHERE ', 'FROM t WHERE 1 / (id - id) > 0 AND ', qr/error 22012/);
    return;
}

sub create_class {
    my ($name, $definition) = @_;
    return "DROP OPERATOR FAMILY IF EXISTS public.$name USING " . ($definition =~ /USING (\w+)/)[0]
        . " CASCADE; CREATE OPERATOR CLASS public.$name $definition";
}

my $WRONG_INT4 = create_class('oracle_wrong_int4', 'FOR TYPE int4 USING btree AS OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =,'
        . ' OPERATOR 4 >, OPERATOR 5 >=, FUNCTION 1 btint4cmp(int4, int4)');
my $WRONG_BOX = create_class('oracle_wrong_box', 'FOR TYPE box USING gist AS OPERATOR 3 &&, OPERATOR 7 <@, OPERATOR 8 @>,'
        . ' FUNCTION 1 gist_box_consistent(internal, box, smallint, oid, internal),'
        . ' FUNCTION 2 gist_box_union(internal, internal),'
        . ' FUNCTION 5 gist_box_penalty(internal, internal, internal), FUNCTION 6 gist_box_picksplit(internal, internal),'
        . ' FUNCTION 7 gist_box_same(box, box, internal)');

sub test_faults {
    my ($status, $text) = oracle('--am', 'btree', '--types', 'int4,date', '--tables', 15);
    is($status, 0, 'a sound index passes') or diag($text);
    finds('operators exchanged in a B-tree class', $ROWS, '--am', 'btree', '--types', 'int4', '--setup', $WRONG_INT4,
        '--opclass', 'int4=public.oracle_wrong_int4');
    finds('operators exchanged in a GiST class', $ROWS, '--am', 'gist', '--types', 'box', '--setup', $WRONG_BOX,
        '--opclass', 'box=public.oracle_wrong_box');
    finds('an index that misses rows', $ROWS, '--am', $opt{am}, '--fault', 'lost-entries');
    finds('an index that keeps dead rows', $ROWS, '--am', $opt{am}, '--fault', 'stale-entries');
    ($status, $text) = oracle('--am', 'btree', '--types', 'int4', '--tables', 10, '--min-used', 100);
    is($status, 1, 'a run whose plans do not use the index fails') or diag($text);
    like($text, qr/FAILED: only .* used the index/, 'and says so');
    return;
}

test_sets();
test_knn();
test_ties();
test_lateral();
test_scroll();
test_errors();
test_cubes();
test_orders();
test_random();
if (defined $opt{host}) {
    test_faults();
    test_tampered() if $opt{am} eq 'xtree';
}
done_testing();
