# Branch coverage of src/core and src/page by the unit tests, from what gcov says about a finished run.
#   perl coverage.pl CHECKOUT BUILD-DIRECTORY
# Branches to where an exception goes are not counted: every call has one. A branch of a template or an inline function counts as taken if it is
# in one of its copies. Prints a line for each file, and every branch that was never taken; exits with 1 if less than 95 % were.
use strict;
use warnings;

use Cwd qw(realpath);
use JSON::PP;

my ($root, $out) = map { realpath($_) } @ARGV;
my %taken;    # file -> line -> branch -> taken?

sub read_report
{
	my ($report) = @_;
	foreach my $file (@{ $report->{files} })
	{
		my ($name) = (realpath("$report->{current_working_directory}/$file->{file}") // realpath($file->{file}) // '') =~ m{^\Q$root\E/(src/(?:core|page)/.*)$} or next;
		foreach my $line (@{ $file->{lines} })
		{
			my @branches = grep { !$_->{throw} } @{ $line->{branches} };
			next if @branches < 2;
			$taken{$name}{ $line->{line_number} }[$_] ||= $branches[$_]{count} > 0 for 0 .. $#branches;
		}
	}
}

chdir "$root/test/unit" or die;
open my $find, '-|', 'find', $out, '-name', '*.gcda' or die;
while (my $data = <$find>)
{
	chomp $data;
	open my $gcov, '-|', 'gcov', '--json-format', '--stdout', '--branch-probabilities', $data or die;
	read_report(decode_json($_)) while <$gcov>;
}
my ($all, $reached, @missed) = (0, 0);
foreach my $name (sort keys %taken)
{
	my ($of, $hit) = (0, 0);
	open my $source, '<', "$root/$name" or die;
	my @source = <$source>;
	foreach my $line (sort { $a <=> $b } keys %{ $taken{$name} })
	{
		my @branches = @{ $taken{$name}{$line} };
		$of += @branches;
		$hit += grep { $_ } @branches;
		next unless grep { !$_ } @branches;
		push @missed, sprintf "%s:%d: %d of %d: %s", $name, $line, scalar(grep { !$_ } @branches), scalar @branches, $source[ $line - 1 ] =~ s/^\s+|\s+$//gr;
	}
	printf "%-40s %5d of %5d branches  %5.1f %%\n", $name, $hit, $of, 100 * $hit / $of;
	$all += $of;
	$reached += $hit;
}
print "\nnever taken:\n", map { "$_\n" } @missed;
printf "\n%d of %d branches of src/core and src/page taken: %.1f %%\n", $reached, $all, 100 * $reached / $all;
exit($reached / $all < 0.95);
