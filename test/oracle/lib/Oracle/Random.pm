# Seeded choices for every other module of the oracle.
#
# One stream per process: the same seed and table number give the same table,
# data, statements and queries. Forked writers seed their own stream.
# Client side only: talks to no server, takes no lock.
package Oracle::Random;
use strict;
use warnings;
use Digest::MD5 qw(md5);
use Exporter 'import';
our @EXPORT = qw(seed rnd irange pick chance pick_weighted sample shuffled gauss);

# Starts the stream of table $table of run $seed. Hashed, because neighbouring
# seeds of drand48 begin with nearly the same numbers.
sub seed {
    my ($seed, $table, $salt) = @_;
    srand(unpack('N', md5("$seed/$table/" . ($salt // 0))));
}

# Integer in 0 .. $n-1.
sub rnd { return int(rand($_[0])) }

# Integer in $lo .. $hi.
sub irange { return $_[0] + int(rand($_[1] - $_[0] + 1)) }

sub pick { return $_[rnd(scalar @_)] }

# True in $percent of the calls.
sub chance { return rand(100) < $_[0] }

# pick_weighted(name => weight, ...): one of the names.
sub pick_weighted {
    my @pairs = @_;
    my $sum   = 0;
    for (my $i = 1; $i < @pairs; $i += 2) { $sum += $pairs[$i] }
    my $at = rand($sum);
    for (my $i = 0; $i < @pairs; $i += 2) {
        return $pairs[$i] if ($at -= $pairs[ $i + 1 ]) < 0;
    }
    return $pairs[-2];
}

sub shuffled {
    my @list = @_;
    for (my $i = $#list; $i > 0; $i--) {
        my $j = rnd($i + 1);
        @list[ $i, $j ] = @list[ $j, $i ];
    }
    return @list;
}

# $n different members of the list, in random order.
sub sample {
    my ($n, @list) = @_;
    @list = shuffled(@list);
    return $n < @list ? @list[ 0 .. $n - 1 ] : @list;
}

# Roughly normal, mean 0, deviation 1.
sub gauss {
    my $sum = 0;
    $sum += rand() for 1 .. 12;
    return $sum - 6;
}

1;
