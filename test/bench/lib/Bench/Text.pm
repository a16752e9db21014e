# Aligned text tables: the first columns left, numbers right.  Pure functions.
package Bench::Text;
use strict;
use warnings;
use List::Util qw(max);
use Exporter 'import';
our @EXPORT_OK = qw(table number megabytes);

# Prints a table; $left columns are left-aligned.  An empty row separates groups.
sub table {
    my ($title, $left, $header, @rows) = @_;
    my @width = map { my $i = $_; max(map { length($_->[$i] // '') } $header, @rows) } 0 .. $#$header;
    my $line  = sub {
        my ($row) = @_;
        my @cells = map { my $cell = $row->[$_] // ''; sprintf('%' . ($_ < $left ? '-' : '') . $width[$_] . 's', $cell) } 0 .. $#width;
        return join('  ', @cells) =~ s/\s+$//r . "\n";
    };
    print "\n$title\n", $line->($header), '-' x (2 * $#width + List::Util::sum(@width)), "\n";
    print $line->($_) for @rows;
    return;
}

# Three significant digits or so, without an exponent.
sub number {
    my ($value) = @_;
    return '-' unless defined $value;
    my $size = abs $value;
    return sprintf($size >= 100 ? '%.0f' : $size >= 10 ? '%.1f' : $size >= 0.1 || $size == 0 ? '%.2f' : '%.3f', $value);
}

sub megabytes { my ($bytes) = @_; return number($bytes / 1024 / 1024) }

1;
