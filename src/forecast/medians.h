// Robust statistics of a few hundred numbers: what is usual, though some numbers are far off.
#pragma once

namespace xtree {

// Of n > 0 numbers, which it reorders; the mean of the two in the middle where n is even.
double Median(double* values, int n);

// Median of the distances from `center`, times 1.4826: the standard deviation where the numbers are normally distributed. n > 0; `values` are
// overwritten. Rousseeuw, Croux: Alternatives to the Median Absolute Deviation, 1993.
double SpreadAbout(double center, double* values, int n);

struct Usual {
  double low, high;
};

// Is `now` beyond what the n numbers before it make usual? False where there are too few of them (kFewestUsual) to say. They are overwritten.
// `grain` is the smallest difference that matters.
inline constexpr int kFewestUsual = 24;
bool IsUnusual(double now, double* before, int n, double grain, Usual* usual);

}  // namespace xtree
