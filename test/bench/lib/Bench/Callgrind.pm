# Reads a profile of callgrind (uncompressed names and positions) and adds up what maintaining statistics costs: the
# functions that do nothing else, with all that they call, and the lines that count within other functions, which the
# compiler has inlined.  Used by statistics-cost.pl.
package Bench::Callgrind;
use strict;
use warnings;

my $FUNCTIONS = qr/\b(?:xtree::)?(CountUse|RecordSamples)\b/;
my %BODIES    = ('registry/mapped_reader.cpp' => [qw(CountAsHit Sample HandIn)]);
my $LINES     = qr/counts_\.|counts\(\)\.|CountAsHit|pgstat_count|pgBufferUsage|kSampleEvery|last_access/;
my @SOURCES   = qw(registry/mapped_reader.cpp registry/index_registry.cpp am/scan.cpp);

# { total, statistics, part => { name => instructions } }
sub statistics {
    my ($file, $source) = @_;
    my $counting = { map { $_ => _counting_lines("$source/$_", $BODIES{$_}) } @SOURCES };
    my $cost = { total => 0, statistics => 0, part => {} };
    open my $in, '<', $file or die "$file: $!\n";
    my ($place, $function, $called) = ('', '', '');
    while (my $line = <$in>) {
        if    ($line =~ /^f[lie]=.*?src\/(\S+)/)    { $place = $counting->{$1} ? $1 : '' }
        elsif ($line =~ /^f[lie]=/)              { $place = '' }
        elsif ($line =~ /^fn=(.*)/)              { $function = $1 }
        elsif ($line =~ /^cfn=(.*)/)             { $called = $1 }
        elsif ($line =~ /^calls=/)               { _add_call($cost, $function, $called, scalar readline $in) }
        elsif ($line =~ /^(\d+) (\d+)$/)         { $cost->{total} += $2; _add_line($cost, $function, $place, $counting, $1, $2) }
    }
    die "$file holds no counts of xtree's lines: was it built with -g?\n" unless $cost->{statistics};
    return $cost;
}

# A function for statistics with all that it calls: the cost of the calls to it from elsewhere.
sub _add_call {
    my ($cost, $caller, $called, $line) = @_;
    my ($name) = $called =~ $FUNCTIONS or return;
    return if $caller =~ $FUNCTIONS;
    my ($instructions) = $line =~ /^\d+ (\d+)$/ or die "unexpected: $line";
    _add($cost, $name, $instructions);
    return;
}

sub _add_line {
    my ($cost, $function, $place, $counting, $line, $instructions) = @_;
    return if $place eq '' || $function =~ $FUNCTIONS || !$counting->{$place}{$line};
    _add($cost, "lines in $place", $instructions);
    return;
}

sub _add { my ($cost, $part, $count) = @_; $cost->{part}{$part} += $count; $cost->{statistics} += $count; return }

# Numbers of the lines of a source file that count something.
sub _counting_lines {
    my ($file, $bodies) = @_;
    my $names = join '|', @{ $bodies // ['-'] };
    open my $in, '<', $file or die "$file: $!\n";
    my (%line, $within);
    while (my $text = <$in>) {
        $within = 1 if $text =~ /^void (?:MappedReader::)?(?:$names)\(/;
        $line{$.} = 1 if $within || $text =~ $LINES;
        $within = 0 if $text =~ /^}/;
    }
    return \%line;
}

1;
