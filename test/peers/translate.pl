#!/usr/bin/env perl
# Puts xtree in the place of GiST and SP-GiST in the text of regression tests, and in their expected output alike.
#   translate.pl FROM TO    every file of the directory FROM, under the same name in the directory TO
# Called by test/peers/run alone. Nothing else of the text is changed, so what differs then is a difference between the
# access methods. Only a table that psql draws around a longer index definition becomes as wide as psql will draw it.
use strict;
use warnings;

# What keeps the peers' own access method, because xtree does not index the type: whole tests, and statements elsewhere.
my $kept_tests = qr/^tsearch(?:\.|_expected$)/;
my $kept_statements = qr/\btsvector_ops\b/;

# What is GiST whatever the test says: the index of a constraint WITHOUT OVERLAPS, for which the server takes no other access method.
# pg_get_indexdef() shows it as a unique index, and no statement can make such a one of GiST.
my $kept_rows = qr/^ CREATE UNIQUE INDEX \w+ ON \S+ USING gist \(/;

sub translate_line {
    my ($line) = @_;
    return $line if $line =~ $kept_statements || $line =~ $kept_rows;
    $line =~ s/\b(using\s+)(?:sp)?gist\b/$1xtree/gi;
    # psql's \d names the access method behind the index.
    $line =~ s/^(    "[^"]+" )(?:sp)?gist \(/$1xtree (/;
    $line = rename_operator_classes($line) if $line =~ /\bxtree\b/;
    $line =~ s/(\bHANDLER )gisthandler\b/$1xtree_handler/;
    $line = support_function($line);
    $line =~ s/^(CREATE EXTENSION )(btree_gist|cube);/$1$2; $1xtree_$2;/;
    return $line;
}

# The functions of a GiST operator class in CREATE OPERATOR CLASS, one a line, are one in xtree.
sub support_function {
    my ($line) = @_;
    $line =~ s/^(\s*FUNCTION\s+)1(\s+)gist_(\w+)_consistent\(.*$/${1}1$2xtree_$3_support(internal);/;
    return $line =~ /^\s*FUNCTION\s+\d+\s+gist_/ ? '' : $line;
}

# GiST has them as gist_inet_ops, SP-GiST has two for points, xtree calls them all as the type's.
sub rename_operator_classes {
    my ($line) = @_;
    $line =~ s/\b(?:sp)?gist_(\w+_ops(?:_\w+)?)\b/$1/g;
    $line =~ s/\b(?:quad|kd)_point_ops\b/point_ops/g;
    return $line;
}

# A table of one column: title, dashes, rows, "(1 row)". psql centres the title.
sub redraw_table {
    my ($lines, $dashes, $end) = @_;
    my $width = 0;
    for my $row (@$lines[ $dashes + 1 .. $end - 1 ]) {
        my $length = length($row) - length(" \n");
        $width = $length if $length > $width;
    }
    (my $title = $lines->[ $dashes - 1 ]) =~ s/^\s+|\s+$//g;
    my $left = int(($width - length $title) / 2);
    $lines->[ $dashes - 1 ] = ' ' . ' ' x $left . $title . ' ' x ($width - $left - length $title) . " \n";
    $lines->[$dashes] = '-' x ($width + 2) . "\n";
    return;
}

# Draws the tables again in which a row was translated; $changed->[i] tells whether line i was.
sub redraw_tables {
    my ($lines, $changed) = @_;
    for my $dashes (1 .. $#$lines) {
        next if $lines->[$dashes] !~ /^-{3,}$/;
        my $end = $dashes + 1;
        $end++ while $end <= $#$lines && $lines->[$end] =~ /^ /;
        next if $end > $#$lines || $lines->[$end] !~ /^\(\d+ rows?\)$/;
        redraw_table($lines, $dashes, $end) if grep { $changed->[$_] } $dashes + 1 .. $end - 1;
    }
    return;
}

sub translate_file {
    my ($from, $to, $name) = @_;
    open my $in, '<:raw', "$from/$name" or die "cannot read $from/$name: $!\n";
    my @lines = <$in>;
    close $in;
    if ($name !~ $kept_tests) {
        my @translated = map { translate_line($_) } @lines;
        redraw_tables(\@translated, [ map { $translated[$_] ne $lines[$_] } 0 .. $#lines ]);
        @lines = @translated;
    }
    open my $out, '>:raw', "$to/$name" or die "cannot write $to/$name: $!\n";
    print {$out} @lines;
    close $out or die "cannot write $to/$name: $!\n";
    return;
}

my ($from, $to) = @ARGV;
die "usage: $0 FROM TO\n" if @ARGV != 2;
opendir my $directory, $from or die "cannot read $from: $!\n";
translate_file($from, $to, $_) for grep { -f "$from/$_" } readdir $directory;
