# Values and query arguments of the ordered scalar types.
#
# Integers travel as text (Perl's doubles end at 2^53), floats are rounded to
# their width here, dates and timestamps are counted in days and microseconds.
# An argument may have another type than its column (cross-type operators).
# Client side only: talks to no server, takes no lock.
package Oracle::Scalar;
use strict;
use warnings;
use Math::BigInt;
use POSIX ();
use Oracle::Network qw(network_kinds network_arg);
use Oracle::Random;
use Oracle::Text qw(is_text alike neighbour_text);
use Exporter 'import';
our @EXPORT_OK = qw(scalar_kinds scalar_arg);

my %INT = (
    int2 => [ '-32768', '32767' ],
    int4 => [ '-2147483648', '2147483647' ],
    int8 => [ '-9223372036854775808', '9223372036854775807' ],
);
my @EDGES = (
    '9007199254740991', '9007199254740992', '9007199254740993', '9007199254740994',
    '-9007199254740993', '2147483648', '-2147483649', '4294967296', '9223372036854775806',
    '-9223372036854775807', '32768', '-32769'
);
my @FLOAT8 = ('NaN', 'Infinity', '-Infinity', '-0', '0', '5e-324', '-5e-324', '1e300', '-1e300', '1e-300',
    '1.7976931348623157e308', '2.2250738585072014e-308', '9007199254740993', '0.1', '1.0000000000000002');
my @FLOAT4 = ('NaN', 'Infinity', '-Infinity', '-0', '0', '1e-45', '-1e-45', '3.4028235e38', '-3.4028235e38',
    '1.1754944e-38', '16777217', '0.1', '1.0000001');
my @NUMERIC = ('NaN', 'Infinity', '-Infinity', '0', '-0', '1.0', '1.00', '1', '0.1', '1e-400', '-1e-400', '1e400',
    '1e500', '-1e500', '99999999999999999999.5', '9007199254740992.1', '9007199254740992.10', '9007199254740992.2',
    '9223372036854775807', '9223372036854775808', '1e308', '1.8e308', '1' . '7' x 300, '0.' . '3' x 300,
    '0.' . '3' x 299 . '4', '0.30000000000000000001', '0.3');

# Integer strings are added as big integers and kept within the type.
sub int_plus {
    my ($type, $a, $b) = @_;
    my $sum = Math::BigInt->new($a)->badd($b);
    my ($lo, $hi) = @{ $INT{$type} };
    return $lo if $sum->bcmp($lo) < 0;
    return $hi if $sum->bcmp($hi) > 0;
    return $sum->bstr;
}

sub int_fits {
    my ($type, $text) = @_;
    return int_plus($type, $text, 0) eq Math::BigInt->new($text)->bstr;
}

sub int_limits {
    my ($type) = @_;
    my @values = (@{ $INT{$type} }, 0, 1, -1, grep { int_fits($type, $_) } @EDGES);
    return sub { int_plus($type, pick(@values), pick(0, 0, 1, -1)) };
}

sub int_full {
    my ($type) = @_;
    my $top = Math::BigInt->new($INT{$type}[1]);
    return sub {
        my $n = Math::BigInt->new(rnd(1 << 31))->blsft(31)->badd(rnd(1 << 31))->blsft(1)->badd(rnd(2));
        $n->bmod($top);
        return (chance(50) ? $n->bneg : $n)->bstr;
    };
}

# Neighbours where doubles can no longer tell them apart.
sub int_beyond_double {
    my ($type) = @_;
    my $base = int_plus($type, pick('9007199254740992', '4611686018427387904', '-9223372036854770000'), 0);
    return sub { int_plus($type, $base, irange(-40, 40)) };
}

sub int_small {
    my $span = pick(1, 10, 100, 1000, 30000);
    return sub { irange(-$span, $span) };
}

sub int_sequence {
    my $step = pick(1, -1);
    my $i    = 0;
    return sub { $i += $step; return abs($i) > 32000 ? irange(-32000, 32000) : $i };
}

sub int_few {
    my ($type) = @_;
    my $limits = int_limits($type);
    my @values = map { chance(70) ? irange(-50, 50) : $limits->() } 1 .. irange(1, 5);
    return sub { pick(@values) };
}

sub int_kinds {
    my ($type) = @_;
    my %kinds = (
        small => [ \&int_small ], sequence => [ \&int_sequence ],
        few    => [ sub { int_few($type) } ],  limits => [ sub { int_limits($type) } ],
        full   => [ sub { int_full($type) } ],
    );
    $kinds{beyond_double} = [ sub { int_beyond_double($type) } ] if $type eq 'int8';
    return \%kinds;
}

# --- floats and numerics ----------------------------------------------------

# Rounded to the type's width, so that text and stored value agree.
sub float_text {
    my ($type, $n) = @_;
    return sprintf('%.17g', $n) if $type eq 'float8';
    return sprintf('%.9g', unpack('f', pack('f', $n)));
}

sub float_neighbour {
    my ($type, $text) = @_;
    return $text if $text !~ /^[-+0-9.e]+$/ || abs($text) > 1e37 || (abs($text) < 1e-30 && $text != 0);
    my $n = $text == 0 ? 0 : $text * (1 + pick(1, -1) * ($type eq 'float8' ? 2.3e-16 : 1.2e-7));
    return float_text($type, $n + pick(0, 0, 1, -1, 1e-7));
}

sub float_kinds {
    my ($type) = @_;
    my @nasty = $type eq 'float8' ? @FLOAT8 : @FLOAT4;
    my $top   = $type eq 'float8' ? 300 : 37;
    return {
        uniform => [ sub { my $s = pick(1, 100, 1e6); sub { float_text($type, (rand() - 0.5) * $s) } } ],
        small   => [ \&int_small ],
        few     => [ sub { my @v = map { float_text($type, rand(10)) } 1 .. irange(1, 5); sub { pick(@v) } } ],
        wide    => [ sub { sub { float_text($type, pick(1, -1) * (1 + rand()) * 10**irange(-$top, $top)) } } ],
        close   => [ sub { my $b = pick(1, 0.1, 1e10); sub { float_neighbour($type, float_text($type, $b)) } } ],
        zeros   => [ sub { sub { pick('-0', '0', '1', '-1') } } ],
        nasty   => [ sub { my $p = pick(5, 50, 100); sub { chance($p) ? pick(@nasty) : irange(-3, 3) } } ],
    };
}

sub digits { return join('', map { rnd(10) } 1 .. $_[0]) }

sub numeric_kinds {
    return {
        small   => [ \&int_small ],
        money   => [ sub { sub { irange(-1000, 1000) . '.' . digits(2) } } ],
        long    => [ sub { sub { pick('', '-') . irange(1, 9) . digits(irange(1, 60)) . '.' . digits(irange(1, 60)) } } ],
        few     => [ sub { my @v = map { irange(0, 9) . '.' . digits(30) } 1 .. irange(1, 5); sub { pick(@v) } } ],
        close   => [ sub { my $b = '12345678901234567890.1234567890'; sub { $b . digits(irange(1, 3)) } } ],
        scales  => [ sub { sub { irange(-2, 2) . '.' . '0' x irange(1, 5) } } ],
        wide    => [ sub { sub { pick('', '-') . irange(1, 9) . '.' . digits(5) . 'e' . irange(-390, 390) } } ],
        nasty   => [ sub { my $p = pick(5, 50, 100); sub { chance($p) ? pick(@NUMERIC) : irange(-3, 3) } } ],
    };
}

# --- dates and timestamps -----------------------------------------------------

sub date_text { return POSIX::strftime('%Y-%m-%d', gmtime($_[0] * 86400)) }

sub stamp_text {
    my ($seconds, $micros, $type) = @_;
    my $text = POSIX::strftime('%Y-%m-%d %H:%M:%S', gmtime($seconds)) . sprintf('.%06d', $micros);
    return $type eq 'timestamptz' ? "$text+00" : $text;
}

my %TIME_LIMITS = (
    date      => [ 'infinity', '-infinity', '4713-01-01 BC', '5874897-12-31', '1999-12-31', '2000-01-01', '294277-01-01' ],
    timestamp => [ 'infinity', '-infinity', '4713-01-01 00:00:00 BC', '294276-12-31 23:59:59.999999',
        '1999-12-31 23:59:59.999999', '2000-01-01 00:00:00', '2023-03-26 02:30:00' ],
);
$TIME_LIMITS{timestamptz} = [ map { /infinity|BC/ ? $_ : "$_+00" } @{ $TIME_LIMITS{timestamp} } ];

sub random_time {
    my ($type, $span_days) = @_;
    my $day = 19_000 + irange(-$span_days, $span_days);
    return date_text($day) if $type eq 'date';
    my $second = chance(30) ? 0 : rnd(86400);
    return stamp_text($day * 86400 + $second, chance(50) ? 0 : rnd(1_000_000), $type);
}

# Around the hours that America/New_York's clock skips or repeats.
sub clock_change {
    my ($type) = @_;
    my $change = pick(1678604400, 1699164000);
    return sub {
        my $seconds = $change + 900 * irange(-40, 40);
        return $type eq 'date' ? date_text(int($seconds / 86400)) : stamp_text($seconds, 0, $type);
    };
}

sub time_kinds {
    my ($type) = @_;
    my @limits = @{ $TIME_LIMITS{$type} };
    return {
        uniform  => [ sub { my $s = pick(3, 400, 15000); sub { random_time($type, $s) } } ],
        clock    => [ sub { clock_change($type) } ],
        few      => [ sub { my @v = map { random_time($type, 300) } 1 .. irange(1, 5); sub { pick(@v) } } ],
        nasty    => [ sub { my $p = pick(5, 50, 100); sub { chance($p) ? pick(@limits) : random_time($type, 9) } }, 'inf' ],
        sequence => [ sub { my $d = 12_000; sub { $d++; $type eq 'date' ? date_text($d) : stamp_text($d * 3600, 0, $type) } } ],
    };
}

# --- types whose values come from a list, whole or in part ----------------------

sub hex_digits { return join('', map { sprintf '%x', rnd(16) } 1 .. $_[0]) }
sub two { return sprintf('%02d', rnd($_[0])) }
sub clock_text { return two(24) . ':' . two(60) . ':' . two(60) . (chance(50) ? '' : '.' . digits(6)) }

sub bits { return join('', map { rnd(2) } 1 .. $_[0]) }

# type => [random value, peculiar values]
my %LISTED = (
    varbit   => [ sub { bits(rnd(90)) }, [ '', '0', '00', '1', '10', '1' x 64, '1' x 65, '0' x 64, '0' x 64 . '1' ] ],
    'bit(20)' => [ sub { bits(20) }, [ '0' x 20, '1' x 20, '0' x 19 . '1', '1' x 19 . '0' ] ],
    'bit(100)' => [ sub { bits(100) }, [ '0' x 100, '1' x 100, '0' x 99 . '1', '1' x 64 . '0' x 36 ] ],
    bytea    => [ sub { '\\x' . hex_digits(2 * rnd(12)) }, [ '\\x', '\\x00', '\\x0000', '\\x' . 'ff' x 8, '\\x' . 'ff' x 9, '\\x' . '00' x 9 ] ],
    bpchar   => [ sub { join('', map { pick('a', 'b', 'A', ' ', 'z') } 1 .. rnd(12)) }, [ '', ' ', 'a', 'a ', 'abcdefgh', 'abcdefgh ', 'abcdefghi' ] ],
    oracle_enum => [ sub { pick(qw(sad ok happy glad)) }, [ 'sad', 'glad' ] ],
    oracle_icu  => [ sub { join('', map { pick('a', 'b', 'A', 'B', "\xc3\xa4", '-', ' ', 'o', "\xc3\x96", '1') } 1 .. rnd(10)) },
        [ '', ' ', 'a', 'A', "\xc3\xa4", "a\xcc\x88", 'co-op', 'coop', 'COOP', 'cooperate', 'co-operate' ] ],
    oid      => [ sub { rnd(pick(10, 1000, 4_000_000_000)) }, [ 0, 1, 2147483647, 2147483648, 4294967295 ] ],
    money    => [ sub { irange(-2000, 2000) . '.' . digits(2) },
        [ '-92233720368547758.08', '92233720368547758.07', '0', '90071992547409.93', '-0.01' ] ],
    time     => [ \&clock_text, [ '00:00', '24:00', '23:59:59.999999', '00:00:00.000001' ] ],
    bool     => [ sub { pick('true', 'false') }, [ 'true', 'false' ] ],
    '"char"' => [ sub { pick('a' .. 'z', 0 .. 9) }, [ '', 'A', '~' ] ],
    macaddr  => [ sub { hex_digits(12) }, [ '000000000000', 'ffffffffffff', '7fffffffffff', '800000000000' ] ],
    macaddr8 => [ sub { hex_digits(16) }, [ '0' x 16, 'f' x 16, '7' . 'f' x 15, '8' . '0' x 15 ] ],
    timetz   => [ sub { clock_text() . pick('+', '-') . two(15) . ':' . pick('00', '30') },
        [ '00:00+15:59:59', '24:00-15:59:59', '12:00+00', '13:00+01', '11:00-01', '12:00:00.000001+00' ] ],
    interval => [ sub { irange(-20, 20) . ' mons ' . irange(-99, 99) . ' days ' . irange(-99, 99) . ' hours ' . rnd(3600e6) . ' microseconds' },
        [ '1 mon', '30 days', '720 hours', '29 days 24:00:00', '0', '-1 mon', '178000000 years', '-178000000 years',
          '178000000 years 1 microsecond', '292271 years', '292272 years', '-293000 years' ] ],
    text     => [ sub { join('', map { pick('a', 'b', 'A', ' ', 'z') } 1 .. rnd(12)) },
        [ '', ' ', 'a', 'a ', 'abcdefgh', 'abcdefghi', 'abcdefgi', 'ABCDEFGH' ] ],
    uuid     => [ sub { hex_digits(32) }, [ '0' x 32, 'f' x 32, '7' . 'f' x 31, '8' . '0' x 31, '8' . '0' x 30 . '1', '8' . '0' x 15 . 'f' x 16 ] ],
);

# The same letters under other names of the type, or under collations of their own.
$LISTED{$_} = $LISTED{text} for qw(varchar oracle_c);
$LISTED{oracle_nd}  = $LISTED{oracle_icu};
$LISTED{'char(40)'} = $LISTED{bpchar};

sub listed_kinds {
    my ($type) = @_;
    my ($random, $peculiar) = @{ $LISTED{$type} };
    return {
        is_text($type) ? (alike => [ sub { alike($type) } ]) : (),
        random => [ sub { $random } ],
        few    => [ sub { my @v = map { $random->() } 1 .. irange(1, 5); sub { pick(@v) } } ],
        nasty  => [ sub { my $p = pick(5, 50, 100); sub { chance($p) ? pick(@$peculiar) : $random->() } } ],
    };
}

sub scalar_kinds {
    my ($type) = @_;
    return listed_kinds($type)  if $LISTED{$type};
    return network_kinds($type) if $type =~ /^(?:inet|cidr)$/;
    return int_kinds($type)   if $INT{$type};
    return float_kinds($type) if $type =~ /^float/;
    return numeric_kinds()    if $type eq 'numeric';
    return time_kinds($type);
}

# --- query arguments ------------------------------------------------------------

# A value's text as the text of another type of the same family, or undef.
sub converted {
    my ($text, $from, $to) = @_;
    return $text if $from eq $to;
    return int_fits($to, $text) ? $text : undef if $INT{$to};
    return $text if $to eq 'float8';
    return $text =~ /^[-+0-9.e]+$/ && $text != 0 && (abs($text) > 1e37 || abs($text) < 1e-37) ? undef : $text
        if $to eq 'float4';
    return undef if $text =~ /BC|[0-9]{6}-|infinity/ && $text !~ /^-?infinity$/;
    $text =~ s/\+00$//;
    $text =~ s/ .*// if $to eq 'date';
    return $text;
}

# The same instant or number, or the one next to it, as an SQL constant.
sub nudged {
    my ($text, $type) = @_;
    return "'" . neighbour_text($type, $text) . "'::$type" if is_text($type);
    return "'$text'::$type" if $LISTED{$type} || $type eq 'cidr';
    return "'" . int_plus($type, $text, pick(1, -1)) . "'::$type"     if $INT{$type};
    return "'" . float_neighbour($type, $text) . "'::$type"           if $type =~ /^float/;
    return "('$text'::numeric " . pick('+', '-') . ' ' . pick(1, '1e-30', '0.5') . ')' if $type eq 'numeric';
    return "'$text'::$type" if $text =~ /infinity|BC|[0-9]{6}-/;
    return "('$text'::date " . pick('+ 1', '- 1') . ')' if $type eq 'date';
    return "('$text'::$type " . pick('+', '-') . " interval '" . pick('1 microsecond', '1 hour', '1 day') . "')";
}

my %KINDS;

# A constant of $type for a column of type $column->{type}{name}.
sub scalar_arg {
    my ($column, $type) = @_;
    return network_arg($column) if $type eq 'inet';
    my $text;
    $text = converted(pick(@{ $column->{pool} }), $column->{type}{name}, $type)
        if @{ $column->{pool} } && chance(85);
    if (!defined $text) {
        my $kinds = $KINDS{$type} //= scalar_kinds($type);
        $text = $kinds->{ pick(sort keys %$kinds) }[0]->()->();
    }
    return nudged($text, $type) if chance(25);
    return "'$text'::$type";
}

1;
