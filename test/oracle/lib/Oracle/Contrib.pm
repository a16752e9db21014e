# Values and query arguments of contrib/seg and contrib/isn.
#
# Segments come with open ends, marks of uncertainty and significant digits, which count for = alone, and with bounds the
# wrong way round, as (+-) makes them. Numbers of books and goods have their check digit computed here.
# Client side only: talks to no server, takes no lock.
package Oracle::Contrib;
use strict;
use warnings;
use Oracle::Random;
use Exporter 'import';
our @EXPORT_OK = qw(seg_kinds seg_arg goods_kinds goods_arg);

my @NASTY = ('0', '-0', '1e-38', '-1e38', '3e38', '1.0', '1.00', '1', '16777217', '0.1');

sub marked { my ($number, $share) = @_; return (chance($share) ? pick('~', '<', '>') : '') . $number }

# Segments of the numbers that $next returns, with marks in some share of them.
sub segments {
    my ($next) = @_;
    my ($share, $points) = (pick(0, 20, 60), pick(10, 50, 90));
    return sub {
        my $from = $next->();
        return marked($from, $share) if chance($points);
        return pick(marked($from, $share) . ' ..', '.. ' . marked($from, $share)) if chance(10);
        return "$from (+-) " . pick('0', '0.5', '3', '-2') if chance(10);
        my ($low, $high) = sort { $a <=> $b } $from, chance(50) ? $next->() : $from + rnd(5);
        return marked($low, $share) . ' .. ' . marked($high, $share);
    };
}

sub seg_kinds {
    my %numbers = (
        grid  => sub { my $n = pick(2, 10, 100); sub { irange(-$n, $n) } },
        tenth => sub { my $n = pick(5, 500); sub { sprintf('%.' . pick(1, 1, 2, 3) . 'f', irange(-$n, $n) / 10) } },
        nasty => sub { sub { chance(40) ? pick(@NASTY) : irange(-3, 3) } },
    );
    return { map { my $factory = $numbers{$_}; $_ => [ sub { segments($factory->()) } ] } keys %numbers };
}

my $SEGMENTS = seg_kinds();

sub seg_arg {
    my ($column) = @_;
    my $pool = $column->{pool};
    my $text = @$pool && chance(75) ? pick(@$pool) : $SEGMENTS->{ pick(sort keys %$SEGMENTS) }[0]->()->();
    return "'$text'::seg" if chance(70);
    my @ends = $text =~ /(-?\d[\d.e+-]*)/g;
    return "'" . (pick(@ends) + pick(-1, 0, 0, 1)) . "'::seg";
}

# Twelve digits and the one that checks them: all of books, or of a few publishers.
sub goods {
    my ($prefix, $few) = @_;
    my $digits = $prefix . join('', map { $few && $_ < 6 ? 0 : rnd(10) } 1 .. 12 - length $prefix);
    my $sum = 0;
    $sum += substr($digits, $_, 1) * ($_ % 2 ? 3 : 1) for 0 .. 11;
    return $digits . (10 - $sum % 10) % 10;
}

sub goods_kinds {
    my ($type) = @_;
    my @prefixes = $type eq 'ean13' ? ('978', '400', '590') : ('978');
    return {
        any => [ sub { sub { goods(pick(@prefixes)) } } ],
        few => [ sub { my $prefix = pick(@prefixes); sub { goods($prefix, 1) } } ],
    };
}

# A number of the column or of its kinds; of books alone where the type wants one.
sub goods_arg {
    my ($column, $type) = @_;
    my $pool = $column->{pool};
    my $text = @$pool && chance(80) ? pick(@$pool) : goods('978', chance(50));
    $text = goods('978', 1) if $type ne 'ean13' && $text !~ /^978/;
    return "'$text'::$type";
}

1;
