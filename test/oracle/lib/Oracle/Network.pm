# Values and query arguments of inet and cidr.
#
# "hosts" are what people store: addresses that carry the mask of their network (10.1.2.3/8), thousands in a network.
# Arguments are addresses of the column and what the server makes of them: network, broadcast, other masks, the next one.
# Client side only: talks to no server, takes no lock.
package Oracle::Network;
use strict;
use warnings;
use Oracle::Random;
use Exporter 'import';
our @EXPORT_OK = qw(network_kinds network_arg compare_networks);

my @NETWORKS = ('0.0.0.0/0', '0.0.0.0/32', '255.255.255.255/32', '128.0.0.0/1', '10.0.0.0/8', '::/0', '::/128', '::1/128', '2001::/63',
    '2001::/64', '2001::/65', '2001:0:0:1::/64', '8000::/1', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128');
my %NASTY = (cidr => \@NETWORKS, inet => [ @NETWORKS, '10.1.2.3/24', '0.0.0.1/0', '255.255.255.255/0', '::1/0', '2001::1/64', 'ffff::1/1' ]);

sub bits { return join('', map { rnd(2) } 1 .. $_[0]) }

# Text of an address whose bits are a string; without those behind its mask for a cidr.
sub address_text {
    my ($type, $bits, $mask) = @_;
    substr($bits, $mask) = '0' x (length($bits) - $mask) if $type eq 'cidr';
    my $v4     = length($bits) == 32;
    my @groups = $v4 ? $bits =~ /(.{8})/g : $bits =~ /(.{16})/g;
    return join($v4 ? '.' : ':', map { sprintf($v4 ? '%d' : '%x', oct("0b$_")) } @groups) . "/$mask";
}

# An address of either family in which neighbours abound.
sub address {
    my ($type) = @_;
    my $v4   = chance(60);
    my $all  = $v4 ? 32 : 128;
    my $few  = pick(3, 8, 20);
    my $bits = ($v4 ? '00001010' : '0010000000000001') . '0' x ($all - ($v4 ? 8 : 16));
    substr($bits, irange(8, $all - $few), $few) = bits($few);
    return address_text($type, $bits, chance(50) ? $all : $all - rnd($all));
}

# Of one or two networks, some with all their addresses' bits in use; one family, or both.
sub hosts {
    my ($type) = @_;
    my @families = pick([32], [32], [128], [ 32, 128 ]);
    my %net = map { $_ => { bits => bits($_), masks => [ sample(irange(1, 2), $_ == 32 ? (0, 8, 16, 24, 31, 32) : (0, 16, 48, 64, 65, 127, 128)) ] } }
        @{ $families[0] };
    my $used = pick(4, 10, 24, 100);
    return sub {
        my $all  = pick(@{ $families[0] });
        my $mask = pick(@{ $net{$all}{masks} });
        my $bits = $net{$all}{bits};
        my $from = chance(50) ? $mask : $all - $used;
        $from = $from < 0 ? 0 : $from;
        my $n = $all - $from < $used ? $all - $from : $used;
        substr($bits, $from, $n) = bits($n);
        return address_text($type, $bits, $type eq 'cidr' && chance(50) ? irange($mask, $all) : $mask);
    };
}

sub network_kinds {
    my ($type) = @_;
    return {
        random => [ sub { sub { address($type) } } ],
        hosts  => [ sub { hosts($type) } ],
        few    => [ sub { my @v = map { address($type) } 1 .. irange(1, 5); sub { pick(@v) } } ],
        nasty  => [ sub { my $p = pick(5, 50, 100); sub { chance($p) ? pick(@{ $NASTY{$type} }) : address($type) } } ],
    };
}

# An address of the column, or what the server makes of one.
sub network_arg {
    my ($column) = @_;
    my $pool = $column->{pool};
    my $text = @$pool && chance(88) ? pick(@$pool) =~ s/^.*"([^"]+)".*$/$1/r : address('inet');
    return "'$text'::inet" if chance(60);
    my $all  = $text =~ /:/ ? 128 : 32;
    my ($mask) = $text =~ m{/(\d+)};
    my $other = chance(60) && defined $mask ? $mask + pick(-1, 1, 8, -8) : irange(0, $all);
    $other = $other < 0 ? 0 : $other > $all ? $all : $other;
    return pick("network('$text'::inet)::inet", "broadcast('$text'::inet)", "host('$text'::inet)::inet", "set_masklen('$text'::inet, $other)",
        "set_masklen('$text'::inet::cidr, $other)::inet", "('$text'::inet + 1)");
}

# --- the order of inet, for the bounds of ranges -------------------------------------

# (family, mask, bits) of a text; no address is shortened with "::" but the peculiar ones, which ranges do not use.
sub parts {
    my ($text) = @_;
    my ($address, $mask) = split m{/}, $text;
    my $v4 = $address !~ /:/;
    my $bits = join('', map { $v4 ? sprintf('%08b', $_) : sprintf('%016b', hex) } split /[.:]/, $address);
    return ($v4 ? 4 : 6, $mask, $bits);
}

# As the server compares: the family, the bits that both masks cover, the masks, all bits.
sub compare_networks {
    my ($family, $mask, $bits)    = parts($_[0]);
    my ($family2, $mask2, $bits2) = parts($_[1]);
    my $common = $mask < $mask2 ? $mask : $mask2;
    return $family <=> $family2 || substr($bits, 0, $common) cmp substr($bits2, 0, $common) || $mask <=> $mask2 || $bits cmp $bits2;
}

1;
