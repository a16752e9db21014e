# The same joins in memory by Boost's R-tree (boost_join.cpp, compiled when first asked for): how near to that limit the database's joins come.
package Bench::BoostJoin;
use strict;
use warnings;
use File::Basename qw(dirname);
use File::Path qw(make_path);

my $ROOT    = dirname(__FILE__) . '/../../../..';
my $BUILD   = ($ENV{XTREE_BUILD} // "$ROOT/build") . '/bench';
my $PROGRAM = "$BUILD/boost_join";

# Why there is no such program, or undef.
sub why_not {
    my $source = "$ROOT/test/bench/boost_join.cpp";
    return if -x $PROGRAM && -M $PROGRAM < -M $source;
    make_path($BUILD);
    my $compiler = $ENV{CXX} // 'g++';
    return system("$compiler -O2 -std=c++17 -o '$PROGRAM' '$source' 2>'$BUILD/boost_join.log'") == 0 ? undef
        : "$compiler cannot compile boost_join.cpp, see $BUILD/boost_join.log";
}

# measure(db, mode with its argument, [table, type of its column k: point or box] of the left and of the right side): the number of pairs, and
# microseconds of processor time for them.
sub measure {
    my ($db, $mode, @sides) = @_;
    my $input = "$BUILD/boost_join.txt";
    open my $out, '>', $input or die "$input: $!\n";
    for my $side (['l', @{ $sides[0] }], ['r', @{ $sides[1] }]) {
        my ($letter, $table, $type) = @$side;
        my $columns = $type eq 'point' ? 'k[0], k[1], k[0], k[1]' : '(k[1])[0], (k[1])[1], (k[0])[0], (k[0])[1]';
        $db->do("COPY (SELECT '$letter', $columns FROM $table) TO STDOUT");
        my $line = '';
        while ($db->{dbh}->pg_getcopydata($line) >= 0) { print {$out} $line }
    }
    close $out or die "$input: $!\n";
    my $text = `'$PROGRAM' $mode <'$input'`;
    unlink $input;
    die "boost_join failed\n" if $? != 0;
    my ($pairs, undef, $us) = split ' ', $text;
    return ($pairs, $us);
}

1;
