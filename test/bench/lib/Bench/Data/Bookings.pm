# One million bookings of 1,000 rooms over ten years, an hour to a day each; and as many
# spans of time without a room, up to some days long.  Pure description; see Bench::Data.
package Bench::Data::Bookings;
use strict;
use warnings;

my $ROOMS = 1000;
my $START = "timestamp '2015-01-01'";
my $DAYS  = 3650;

sub describe {
    my ($class, $opt) = @_;
    my $rows = $opt->rows(1_000_000, 20_000);
    return (_bookings($rows), _spans($rows));
}

# A time within the ten years, to the minute; the time some days later, at most.
sub _begin { return "$START + floor(random() * $DAYS * 1440) * interval '1 minute'" }
sub _after { my ($days) = @_; return "interval '1 hour' + floor(random() * $days * 1440) * interval '1 minute'" }

sub _rows {
    my ($columns, $days, $rows) = @_;
    return "SELECT id, $columns tsrange(t, t + ${\ _after($days)}) AS during
            FROM (SELECT id, ${\ _begin()} AS t FROM generate_series(1, $rows) AS id) r";
}

sub _bookings {
    my ($rows) = @_;
    return {
        key => 'bookings', title => "$rows bookings of $ROOMS rooms", rows => $rows, needs => ['btree_gist'],
        base  => [ 'CREATE TABLE bookings_base AS ' . _rows("(random() * $ROOMS)::int AS room,", 1, $rows) ],
        peers => [
            { name => 'xtree', index => ['CREATE INDEX ON %t USING xtree (room, during)'] },
            { name => 'gist',  index => ['CREATE INDEX ON %t USING gist (room, during)'] },
        ],
        classes => [ {
            key => 'week', group => 'range', title => 'a week of a room', mode => 'index', expr => 'count(id)',
            constants => "SELECT (random() * $ROOMS)::int AS room, tsrange(t, t + interval '7 days') AS week
                FROM (SELECT ${\ _begin()} AS t FROM generate_series(1, 2000)) r",
            from => '%t WHERE room = q.room AND during && q.week', digest => 'coalesce(sum(id), 0)',
        } ],
    };
}

sub _spans {
    my ($rows) = @_;
    return {
        key => 'spans', title => "$rows spans of time", rows => $rows,
        base  => [ 'CREATE TABLE spans_base AS ' . _rows('', 200 * $DAYS / $rows, $rows) ],
        peers => [ map { { name => $_, index => ["CREATE INDEX ON %t USING $_ (during)"] } } qw(xtree gist spgist) ],
        classes => [ {
            key => 'stab', group => 'range', title => 'what contains a moment, ~100 rows', mode => 'index', expr => 'count(id)',
            constants => "SELECT ${\ _begin()} AS t FROM generate_series(1, 2000)",
            from => '%t WHERE during @> q.t', digest => 'coalesce(sum(id), 0)',
        } ],
    };
}

1;
