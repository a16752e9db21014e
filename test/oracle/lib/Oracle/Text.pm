# Strings that begin alike: words, keys, addresses and bit strings whose first bytes do not part them.
#
# A column's values have a beginning in common, of a length around those that an index may keep (8, 16, 24 bytes, 64 bits,
# much more), and a short end of their own. Arguments are such values with a letter more, less or exchanged.
# Client side only: talks to no server, takes no lock.
package Oracle::Text;
use strict;
use warnings;
use Oracle::Random;
use Exporter 'import';
our @EXPORT_OK = qw(is_text alike neighbour_text);

my @WORD = ('a', 'b', 'A', 'z', ' ');
my @ICU  = ('a', 'b', 'A', 'B', "\xc3\xa4", 'o', '-', ' ');
my @HEX  = (0 .. 9, 'a' .. 'f');

# type => [letters, the one length of all values, the longest, what stands before them]
my %FORM = (
    (map { $_ => [ \@WORD ] } qw(text varchar oracle_c)), (map { $_ => [ \@ICU ] } qw(oracle_icu oracle_nd)),
    bpchar => [ \@WORD ], 'char(40)' => [ \@WORD, undef, 40 ], bytea => [ [ '00', '01', '7f', '80', 'ff' ], undef, undef, '\\x' ],
    uuid   => [ \@HEX, 32 ], varbit => [ [ 0, 1 ] ], 'bit(20)' => [ [ 0, 1 ], 20 ], 'bit(100)' => [ [ 0, 1 ], 100 ],
    lower  => [ [ 'a', 'b', 'y', 'z' ] ],
);

sub is_text { return exists $FORM{ $_[0] } }

# A source of values. One in ten differs from the others before its end.
sub alike {
    my ($type) = @_;
    my ($letters, $length, $longest, $before) = @{ $FORM{$type} };
    my $most = ($length // $longest // 200) - 2;
    my @base = map { pick(@$letters) } 1 .. pick(grep { $_ <= $most } 7, 8, 9, 15, 16, 17, 23, 24, 25, 38, 63, 64, 65, 90, 130);
    my $ends = pick(1, 2, 4, 12);
    return sub {
        my @all = @base[ 0 .. (chance(10) ? rnd(scalar @base) : @base) - 1 ];
        push @all, map { pick(@$letters) } 1 .. rnd($ends + 1);
        push @all, ($letters->[0]) x ($length - @all) if $length && @all < $length;
        my $last = $length // $longest;
        $#all = $last - 1 if $last && @all > $last;
        return join('', $before // '', @all);
    };
}

# The same with a letter more, less or exchanged at the end.
sub neighbour_text {
    my ($type, $text) = @_;
    my ($letters, $length) = @{ $FORM{$type} };
    my $any  = join('|', map { quotemeta } @$letters);
    my $less = $text =~ s/(?:$any)$//r;
    return $less eq $text ? $text : $less . pick(@$letters) if $length;
    return pick($less, $text . pick(@$letters), $less . pick(@$letters));
}

1;
