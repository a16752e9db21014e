# Pinned pages under pressure that drops others: the files are dropped from the page cache (posix_fadvise), then other
# data is written under a memory limit of a control group, more of it than the limit, and read again.  A small index is
# pinned whole, of a large one the hot pages; a third is unpinned on request.  With RLIMIT_MEMLOCK as the worker has it,
# lower, and raised.
package Bench::Pin;
use strict;
use warnings;
use Bench::Ratios;
use Bench::Strips;
use Bench::Text qw(table number megabytes);

my $BLOCK  = 8192;
my $LIMIT  = 128 * 2**20;
my $PINNED = '48MB';

my @INDEXES = (
    { name => 'pin_small', rows => 150_000,   title => 'small' },
    { name => 'pin_large', rows => 1_000_000, title => 'large' },
    { name => 'pin_none',  rows => 300_000,   title => 'unpinned', unpin => 1 },
);

my @LIMITS = ({ name => 'as it is' }, { name => 'lowered', value => '2097152:' }, { name => 'raised', value => 'unlimited' });

sub run {
    my ($db, $opt, $control) = @_;
    Bench::Strips::make($db, 'points', $_->{name}, $opt->rows($_->{rows}, $_->{rows} / 3), 'xtree') for @INDEXES;
    $control->later(sub { $control->restart });
    $control->set('shared_buffers' => '16MB', 'xtree.pin_memory_limit' => $PINNED, 'xtree.hot_page_threshold' => '0.01');
    $control->restart;
    my (@figures, @skipped);
    for my $limit (@LIMITS) {
        my ($why, $worker) = ($control->limit_memory($LIMIT), $db->value('SELECT pid FROM pg_stat_xtree_worker'));
        push @skipped, "pressure by a limit of memory, $why" if $why;
        if ($limit->{value} && !$control->limit_locked_memory($worker, $limit->{value})) {
            push @skipped, "memlock $limit->{name}, the operating system does not allow it";
            next;
        }
        push @figures, _measure($db, $control, $limit->{name}, !$why);
        $control->restart;
    }
    $control->undo;
    _report(\@figures);
    print "pin: SKIPPED: $_\n" for @skipped;
    $db->do("DROP TABLE $_->{name}") for @INDEXES;
    return { figures => \@figures, targets => [ map { _targets($_) } grep { $_->{pinned} } @figures ] };
}

# The shares of the pinned pages and of all others that are in memory, before and after each kind of pressure.
sub _measure {
    my ($db, $control, $limit, $press) = @_;
    $control->set('xtree.naptime' => '100ms');
    Bench::Strips::plans($db, 'bitmap');
    $control->drop_from_cache($control->files("$_->{name}_i")) for @INDEXES;
    for my $index (@INDEXES) { Bench::Strips::load($db, $index->{name}); Bench::Strips::compare($db, $index->{name}, 1, 2) }
    for (1 .. 10) { Bench::Strips::run($db, $_->{name}, 1, 64) for @INDEXES }
    $db->value("SELECT xtree_unpin('$_->{name}_i')") for grep { $_->{unpin} } @INDEXES;
    $db->value('SELECT xtree_pin_hot()');
    my $memory = $db->hash('SELECT memlock_limit, pinned_bytes, last_pin_failure FROM pg_stat_xtree_memory');
    my @figures = map { { %$_, limit => $limit, memlock => $memory->{memlock_limit}, failure => $memory->{last_pin_failure}, _pinned($db, $_->{name}) } } @INDEXES;
    $control->set('xtree.naptime' => '1h');    # or the worker would read ahead again what it may not lock
    select undef, undef, undef, 0.5;
    _look($control, $_, 'before') for @figures;
    $control->drop_from_cache($control->files("$_->{name}_i")) for @INDEXES;
    _look($control, $_, 'advised') for @figures;
    $control->press(2 * $LIMIT) if $press;
    _look($control, $_, 'pressed') for $press ? @figures : ();
    return @figures;
}

# Which pages are pinned: all of a resident index, or those that the table of hot pages marks.
sub _pinned {
    my ($db, $name) = @_;
    my $bytes = $db->value("SELECT pinned_bytes FROM pg_stat_xtree_indexes WHERE indexrelname = '${name}_i'");
    my $size  = $db->value("SELECT pg_relation_size('${name}_i')");
    my @block = $bytes == $size ? 0 .. $size / $BLOCK - 1
        : $db->column("SELECT block FROM pg_stat_xtree_pages WHERE indexrelname = '${name}_i' AND pinned ORDER BY block");
    return (pinned => $bytes, size => $size, known => \@block);
}

sub _look {
    my ($control, $figure, $when) = @_;
    my %known = map { $_ => 1 } @{ $figure->{known} };
    my ($block, %resident, %all) = (0);
    for my $file ($control->files("$figure->{name}_i")) {
        my $present = $control->residency($file);
        for my $at (map { 2 * $_ } 0 .. length($present) / 2 - 1) {
            my $kind = $known{ $block++ } ? 'pinned' : 'other';
            $all{$kind}++;
            $resident{$kind}++ if ord(substr $present, $at, 1) & ord(substr $present, $at + 1, 1) & 1;
        }
    }
    $figure->{$when} = { map { $_ => $all{$_} ? ($resident{$_} // 0) / $all{$_} : undef } qw(pinned other) };
    return;
}

sub _targets {
    my ($figure) = @_;
    return map { Bench::Ratios::target("pin: $figure->{title} index, memlock $figure->{limit}, share of pinned pages lost ($_)", 'allowed: 0',
        1 - $figure->{$_}{pinned}, 1, 0) } grep { defined $figure->{$_}{pinned} } qw(advised pressed);
}

sub _report {
    my ($figures) = @_;
    my $percent = sub { defined $_[0] ? sprintf('%.0f %%', 100 * $_[0]) : '-' };
    table("Pinned pages under pressure: what of them, and of the other pages, is in memory (xtree.pin_memory_limit = $PINNED)", 2,
        [ 'index', 'memlock', 'limit MB', 'MB', 'pinned MB', 'pages known', (map { ("$_: pinned", 'others') } 'before', 'after fadvise', 'under pressure') ],
        map { my $f = $_;
              [ @$f{qw(title limit)}, defined $f->{memlock} ? megabytes($f->{memlock}) : 'none', megabytes($f->{size}), megabytes($f->{pinned}), scalar @{ $f->{known} },
                map { my $w = $_; map { $percent->($f->{$w}{$_}) } qw(pinned other) } qw(before advised pressed) ] } @$figures);
    my %said = map { $_->{failure} ? ("the view says with memlock $_->{limit}: $_->{failure}\n" => 1) : () } @$figures;
    print sort keys %said;
    return;
}

1;
