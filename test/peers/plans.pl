#!/usr/bin/env perl
# Which plans use an index of GiST or SP-GiST, and which the xtree index in its place?
#   plans.pl PEER-LOG XTREE-LOG PEER-OUTPUT XTREE-OUTPUT
# Reads what auto_explain wrote to the logs of both servers, under the names of the tests. Writes for each a file with a line for
# every query for which one of the two used such an index: test, query, how often which indexes. So the two files are the same
# where xtree is used for whatever the peer is used for. Left out are queries that only one of them ran, because their text holds
# an OID. How often is not compared where one ran the query more often: functions are called as often as the planner likes, and
# errors end a query before its plan is logged. Called by test/peers/run alone.
use strict;
use warnings;

# Spaces say nothing, and EXPLAIN plans the query behind it.
sub plain_query {
    my ($query) = @_;
    $query =~ s/\s+/ /g;
    $query =~ s/^ Query Text: (?:explain *\([^)]*\) *)?//i;
    $query =~ s/[; ]+$//;
    return $query;
}

# {test, query} => [ {index => 1} per plan ]. A plan begins with the first line that has costs.
sub read_plans {
    my ($file) = @_;
    my (%plans, $test, $query, $indexes);
    open my $in, '<:raw', $file or die "cannot read $file: $!\n";
    while (my $line = <$in>) {
        if ($line =~ /^([^|]*)\| LOG:  duration: .* plan:$/) { ($test, $query, $indexes) = ($1, '', undef); next }
        if ($line !~ /^\t/) { undef $test; next }
        next if !defined $test;
        if (!$indexes && $line =~ /^\t\S.*\(cost=\d/) { $indexes = {}; push @{ $plans{ "$test: " . plain_query($query) } }, $indexes }
        if (!$indexes) { $query .= $line }
        elsif ($line =~ /Index (?:Only )?Scan(?: Backward)? using (\S+) on|Bitmap Index Scan on (\S+)/) { $indexes->{ $1 // $2 } = 1 }
    }
    return \%plans;
}

# A pattern for the names of xtree's indexes, by the statements that made them; the peer's have the same. Those without a name in
# the statement have one that begins with the table's.
sub index_names {
    my ($file) = @_;
    open my $in, '<:raw', $file or die "cannot read $file: $!\n";
    local $/ = undef;
    my (%names, %tables);
    for my $statement (split /^(?=[^\t])/m, scalar <$in>) {
        next if $statement !~ /LOG:  statement: .*using\s+xtree/is;
        if ($statement =~ /create\s+index\s+(?:concurrently\s+)?(?:if\s+not\s+exists\s+)?(?!on\b)("?)(\w+)\1\s+on/i) { $names{$2} = 1 }
        elsif ($statement =~ /(?:\son|\stable)\s+(?:only\s+)?(?:\w+\.)?("?)(\w+)\1/i) { $tables{ lc $2 } = 1 }
    }
    return join '|', (map { quotemeta } keys %names), map { quotemeta($_) . '_\w*(?:idx|excl)\d*' } keys %tables;
}

sub write_lines {
    my ($file, $lines) = @_;
    open my $out, '>:raw', $file or die "cannot write $file: $!\n";
    print {$out} @$lines;
    close $out or die "cannot write $file: $!\n";
    return;
}

die "usage: $0 PEER-LOG XTREE-LOG PEER-OUTPUT XTREE-OUTPUT\n" if @ARGV != 4;
my ($peer, $xtree) = map { read_plans($_) } @ARGV[ 0, 1 ];
my $names = index_names($ARGV[1]);

# The names of xtree's indexes in each of some plans: "2 x a_idx, 1 x a_idx b_idx", or without the numbers.
sub uses {
    my ($with_numbers, @plans) = @_;
    my %times;
    for my $plan (@plans) { $times{ join ' ', sort grep { /^"?(?:$names)"?$/ } keys %$plan }++ }
    return join ', ', map { $with_numbers ? "$times{$_} x $_" : $_ } grep { $_ ne '' } sort keys %times;
}

my (@peer_lines, @xtree_lines);
my ($compared, $with_index) = (0, 0);
for my $query (sort keys %$peer) {
    my @was = @{ $peer->{$query} };
    my @is = @{ $xtree->{$query} // [] } or next;
    $compared += @is;
    my ($was, $is) = map { uses(@was == @is, @$_) } \@was, \@is;
    next if $was eq '' && $is eq '';
    $with_index += grep { uses(0, $_) ne '' } @is;
    push @peer_lines,  "$query: $was\n";
    push @xtree_lines, "$query: $is\n";
}
write_lines($ARGV[2], \@peer_lines);
write_lines($ARGV[3], \@xtree_lines);
printf "%d plans compared, %d of them use an index of xtree\n", $compared, $with_index;
