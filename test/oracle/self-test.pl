#!/usr/bin/perl
# Shows that the oracle can fail: wrong operator classes, an index that misses
# rows, one that keeps dead rows, and answers that the comparison must refuse.
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
use Oracle::Random;
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

sub test_errors {
    my $outcome = sub {
        my ($without, $with) = map { { state => $_ } } @_;
        return Oracle::Compare::error_verdict(undef, 'a', { quals => [] }, $without, $with)->{outcome};
    };
    is($outcome->('22003', '22003'), 'agreed',  'the same error on both sides');
    is($outcome->('22003', undef),   'skipped', 'an evaluation error only without the index decides nothing');
    is($outcome->(undef,   '22003'), 'failed',  'an error only through the index');
    is($outcome->('XX000', undef),   'failed',  'an internal error only without the index');
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

sub finds {
    my ($name, @arg) = @_;
    my ($status, $text) = oracle(@arg);
    is($status, 1, "$name: a difference is found") or diag($text);
    like($text, qr/minimal reproduction.*^difference: (?:rows|distance|check)/ms, "$name: with a reproduction");
    like($text, qr/^\d+ passed, 1 failed$/m, "$name: and counted");
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
    finds('operators exchanged in a B-tree class', '--am', 'btree', '--types', 'int4', '--setup', $WRONG_INT4,
        '--opclass', 'int4=public.oracle_wrong_int4');
    finds('operators exchanged in a GiST class', '--am', 'gist', '--types', 'box', '--setup', $WRONG_BOX,
        '--opclass', 'box=public.oracle_wrong_box');
    finds('an index that misses rows', '--am', $opt{am}, '--fault', 'lost-entries');
    finds('an index that keeps dead rows', '--am', $opt{am}, '--fault', 'stale-entries');
    ($status, $text) = oracle('--am', 'btree', '--types', 'int4', '--tables', 10, '--min-used', 100);
    is($status, 1, 'a run whose plans do not use the index fails') or diag($text);
    like($text, qr/FAILED: only .* used the index/, 'and says so');
    return;
}

test_sets();
test_knn();
test_scroll();
test_errors();
test_random();
test_faults() if defined $opt{host};
done_testing();
