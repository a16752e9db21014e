#!/usr/bin/env perl
# Compares what regression tests gave with xtree with what they should give, and that with the list of known differences.
#   compare.pl LIST VERSION PEER PEER-EXPECTED RESULTS EXPECTED
# LIST           known differences and their reasons, see docs/peers.md
# VERSION        major version of the server, for entries that hold from or before one
# PEER           what the tests gave with the peers' own access methods on this server, *.out
# PEER-EXPECTED  what their authors expect, *.out and alternatives *_1.out ...
# RESULTS        what the translated tests gave with xtree
# EXPECTED       PEER, translated in the same way
# Where PEER is what its authors expect, so is EXPECTED. Where not (the server is of another minor version than the tests),
# the test's name is printed. Called by test/peers/run alone. Status 1: a difference that is not listed, a listed one that is
# not there, a test that gave nothing, or so much else in PEER that the set-up must be wrong.
use strict;
use warnings;
use File::Basename qw(basename);
use File::Temp qw(tempfile);

my ($list_file, $version, $peer, $peer_expected, $results, $expected) = @ARGV;
die "usage: $0 LIST VERSION PEER PEER-EXPECTED RESULTS EXPECTED\n" if @ARGV != 6;

sub slurp {
    my ($file) = @_;
    open my $in, '<:raw', $file or return;
    local $/ = undef;
    return scalar <$in>;
}

# A pattern for the lines of a hunk of the list: {oid} stands for a number that is not the same in every run.
sub pattern {
    my $text = quotemeta join '', @_;
    $text =~ s/\\\{oid\\\}/\\d+/g;
    return qr/\A$text\z/;
}

# Does what stands under "== TEST CONDITION: reason" hold here? Conditions are "from 18" and "before 18", of the server's major version, for what
# versions do otherwise; "with WORD" and "without WORD", of the test's expected output, for what not all versions of the test look at.
sub holds {
    my ($test, $condition) = @_;
    return 1 if !defined $condition;
    my ($kind, $what) = split / /, $condition;
    return $version >= $what if $kind eq 'from';
    return $version < $what  if $kind eq 'before';
    return ((slurp("$expected/$test.out") // '') =~ /\b\Q$what\E\b/) == ($kind eq 'with');
}

# Entries {test, reason, pattern, hunk} of the list that hold here. "== TEST: reason" is for the hunks that follow, which end at empty lines.
sub read_list {
    my ($file) = @_;
    open my $in, '<:raw', $file or die "cannot read $file: $!\n";
    my (@entries, @hunk, $test, $reason, $holds);
    my $end = sub {
        push @entries, { test => $test, reason => $reason, pattern => pattern(@hunk), hunk => join '', @hunk } if @hunk && $holds;
        @hunk = ();
    };
    while (my $line = <$in>) {
        if ($line =~ /^== (\S+)(?: ((?:from|before) \d+|with(?:out)? \w+))?: (\S.*)$/) {
            $end->();
            ($test, $reason, $holds) = ($1, $3, holds($1, $2));
        }
        elsif ($line =~ /^[-+ ]/)   { $test or die "$file:$.: no reason given\n"; push @hunk, $line }
        elsif ($line =~ /^(#.*)?$/) { $end->() }
        else                        { die "$file:$.: neither a difference nor a reason: $line" }
    }
    $end->();
    return @entries;
}

# The hunks of a comparison: lines that begin with - (expected) or + (is), and single equal ones between them.
sub hunks {
    my ($old, $new) = @_;
    open my $diff, '-|:raw', 'diff', '--text', '-U1', $old, $new or die "cannot run diff: $!\n";
    my @hunks;
    while (my $line = <$diff>) {
        next if $. <= 2 || $line =~ /^\\/;
        if ($line =~ /^@@/) { push @hunks, '' }
        else                { $hunks[-1] .= $line }
    }
    close $diff or $? >> 8 == 1 or die "diff $old $new failed\n";
    s/\A .*\n// && s/^ .*\n\z//m for @hunks;
    return @hunks;
}

# Did the peer give what its authors expect, in one of the alternatives?
sub as_its_authors_expect {
    my ($test) = @_;
    my $is = slurp("$peer/$test.out") // return 0;
    return scalar grep { slurp($_) eq $is } grep { m{/\Q$test\E(?:_\d)?\.out$} } glob "$peer_expected/$test*.out";
}

my @list = read_list($list_file);
my $found = 0;
my @unlisted;
my @unused;
my @silent;

sub show { return "== $_[0]: $_[1]\n$_[2]\n" }

# The differences of a test are those of the list, in the same order.
sub compare_test {
    my ($test) = @_;
    if (!-e "$results/$test.out") { push @silent, $test; return }
    my @listed = grep { $_->{test} eq $test } @list;
    for my $hunk (hunks("$expected/$test.out", "$results/$test.out")) {
        my ($at) = grep { $hunk =~ $listed[$_]{pattern} } 0 .. $#listed;
        if (defined $at) { $found++; push @unused, splice(@listed, 0, $at); shift @listed }
        else             { push @unlisted, show($test, '', $hunk) }
    }
    push @unused, @listed;
    return;
}

my @tests = sort map { basename($_, '.out') } glob "$expected/*.out";
compare_test($_) for @tests;
my @other = grep { !as_its_authors_expect($_) } @tests;
my %tested = map { $_ => 1 } @tests;
push @unused, grep { !$tested{ $_->{test} } } @list;

print 'the peers give something else on this server than their authors expect, and are taken as they are: ', "@other\n" if @other;
print "no output: @silent\n" if @silent;
print "Not in the list:\n\n", @unlisted if @unlisted;
print "In the list, but not found:\n\n", map { show($_->{test}, $_->{reason}, $_->{hunk}) } @unused if @unused;
my $wrong_set_up = @tests == 0 || @other > @tests / 4;
print "the set-up is wrong, or the sources are not those of this server\n" if $wrong_set_up;
printf "%d tests compared, %d listed differences, %d others\n", scalar @tests, $found, scalar @unlisted;
exit(@unlisted || @unused || @silent || $wrong_set_up ? 1 : 0);
