# Branch coverage of src/core and src/page by the unit tests, from what gcov says about a finished run.
#   perl coverage.pl CHECKOUT BUILD-DIRECTORY
# Branches to where an exception goes are not counted: every call has one. A branch of a template or an inline function counts as taken if it is
# in one of its copies. Prints a line for each file, then what was never taken. Exits with 1 if less than 95 % were taken, or if that differs from
# docs/uncovered-branches.md, which names each such branch with its reason: one that is not there, or an entry there whose function has no such
# line any more. Function and source text tell, not the line's number. An entry that was taken after all is only noted, because one test has a
# second thread.
# Seen to fail: with an entry taken out of the list, with one of a line that does not exist, and with one that claims fewer branches than there are.
use strict;
use warnings;

use Cwd qw(realpath);
use JSON::PP;

my $list = 'docs/uncovered-branches.md';
my ($root, $out) = map { realpath($_) } @ARGV;
my %branches;    # file -> line -> for each branch, whether it was taken
my %function;    # file -> line -> name

# A function's name without its return type, scope, arguments, and those of templates. A lambda has the name of the function around it.
sub plain_name
{
	my ($name) = @_;
	$name =~ s/\(anonymous namespace\)//g;
	$name =~ s/operator\(\)/call/g;
	$name =~ s/operator([^\s\w(]+)/"operator" . join('', map { sprintf '_%x', ord } split \/\/, $1)/ge;
	1 while $name =~ s/<[^<>]*>|\([^()]*\)|\{[^{}]*\}|\[[^][]*\]//g;
	$name =~ s/\s*const\s*$//;
	$name =~ s/(?:::)+call$//;
	$name =~ s/^.*(?:::|\s)//;
	$name =~ s/_([0-9a-f]{2})/chr hex $1/ge if $name =~ /^operator_/;
	return $name;
}

sub source_of
{
	my ($file) = @_;
	open my $handle, '<', "$root/$file" or return ();
	chomp(my @lines = <$handle>);
	return map { s/^\s+|\s+$//gr } @lines;
}

# file -> "function: `source`" -> number of branches that are never taken.
sub read_list
{
	my (%entry, $file);
	open my $handle, '<', "$root/$list" or die "$list: $!\n";
	while (<$handle>)
	{
		$file = $1 if /^## (src\S+)$/;
		next unless /^- /;
		/^- (\S+: `.*`) \((\d+) of \d+\): \S/ && $file or die "$list, line $.: not an entry with its reason\n";
		$entry{$file}{$1} += $2;
	}
	return \%entry;
}

sub read_report
{
	my ($report) = @_;
	foreach my $file (@{ $report->{files} })
	{
		my ($name) = (realpath("$report->{current_working_directory}/$file->{file}") // realpath($file->{file}) // '') =~ m{^\Q$root\E/(src/(?:core|page)/.*)$} or next;
		my %demangled = map { $_->{name} => $_->{demangled_name} } @{ $file->{functions} };
		foreach my $line (@{ $file->{lines} })
		{
			my @found = grep { !$_->{throw} } @{ $line->{branches} };
			next if @found < 2;
			my $number = $line->{line_number};
			$function{$name}{$number} = plain_name($demangled{ $line->{function_name} // '' } // '');
			$branches{$name}{$number}[$_] ||= $found[$_]{count} > 0 for 0 .. $#found;
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

my ($all, $taken, @missed) = (0, 0);
my %missed;      # file -> "function: `source`" -> branches never taken
my %of;          # the same -> all of its branches
foreach my $name (sort keys %branches)
{
	my ($of, $hit) = (0, 0);
	my @source = source_of($name);
	foreach my $line (sort { $a <=> $b } keys %{ $branches{$name} })
	{
		my @line = @{ $branches{$name}{$line} };
		my $here = grep { !$_ } @line;
		$of += @line;
		$hit += @line - $here;
		next unless $here;
		my $entry = "$function{$name}{$line}: `$source[ $line - 1 ]`";
		push @missed, "$name:$line: $entry ($here of " . @line . ')';
		$missed{$name}{$entry} += $here;
	}
	printf "%-40s %5d of %5d branches  %5.1f %%\n", $name, $hit, $of, 100 * $hit / $of;
	$all += $of;
	$taken += $hit;
}
print "\nnever taken:\n", map { "$_\n" } @missed;

my $listed = read_list();
my @wrong;
foreach my $name (sort keys %missed)
{
	foreach my $entry (sort keys %{ $missed{$name} })
	{
		my ($is, $may) = ($missed{$name}{$entry}, $listed->{$name}{$entry} // 0);
		push @wrong, "$name: $entry: $is never taken, $may in $list" if $is > $may;
	}
}
foreach my $name (sort keys %$listed)
{
	my %exists;
	my @source = source_of($name);
	$exists{"$function{$name}{$_}: `$source[ $_ - 1 ]`"} = 1 for keys %{ $branches{$name} // {} };
	foreach my $entry (sort keys %{ $listed->{$name} })
	{
		my $is = $missed{$name}{$entry} // 0;
		push @wrong, "$name: $entry: in $list, but no such branch exists" unless $exists{$entry};
		print "note: $name: $entry: $is never taken, $listed->{$name}{$entry} in $list\n" if $exists{$entry} && $is < $listed->{$name}{$entry};
	}
}
print "\n$list and this run differ:\n", map { "$_\n" } @wrong if @wrong;
printf "\n%d of %d branches of src/core and src/page taken: %.1f %%; the others are on %d lines\n", $taken, $all, 100 * $taken / $all,
	scalar @missed;
exit(@wrong || $taken / $all < 0.95);
