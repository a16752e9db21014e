// Joins in the memory of one process by Boost's R-tree: the limit that the joins of a database are held beside. Nothing is read from a file while
// time is taken, no row is looked up, no snapshot asked.
//
//   boost_join pairs          the lines of the input: `l` or `r`, then x1 y1 x2 y2, a box
//   boost_join within D       the same; pairs of centres that are nearer than D
//   boost_join nearest K      the same; for each l the K nearest r, by their centres
//
// Prints the number of pairs and microseconds of processor time for making both trees (packed) and for the join: each l in the order of its tree,
// which keeps the nodes of the other one in the processor's caches.
#include <boost/geometry.hpp>
#include <boost/geometry/index/rtree.hpp>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <iterator>
#include <vector>

namespace bg = boost::geometry;
namespace bgi = boost::geometry::index;
using Point = bg::model::point<double, 2, bg::cs::cartesian>;
using Box = bg::model::box<Point>;

namespace {

double Microseconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

template <class Value>
using Tree = bgi::rtree<Value, bgi::rstar<32>>;

struct Sides {
  std::vector<Box> left, right;
};

Sides Read() {
  Sides sides;
  char side = 0;
  double x1 = 0, y1 = 0, x2 = 0, y2 = 0;
  while (std::scanf(" %c %lf %lf %lf %lf", &side, &x1, &y1, &x2, &y2) == 5)
    (side == 'l' ? sides.left : sides.right).emplace_back(Point(x1, y1), Point(x2, y2));
  return sides;
}

std::vector<Point> Centres(const std::vector<Box>& boxes) {
  std::vector<Point> points(boxes.size());
  for (std::size_t i = 0; i < boxes.size(); ++i) bg::centroid(boxes[i], points[i]);
  return points;
}

// The rows of `left`, in the order of its tree, each answered by `search(tree of right, row)`, which counts.
template <class Value, class Search>
void Join(const std::vector<Value>& left, const std::vector<Value>& right, Search search) {
  const double begun = Microseconds();
  const Tree<Value> left_tree(left), right_tree(right);
  const double built = Microseconds();
  std::size_t pairs = 0;
  for (const Value& row : left_tree) pairs += search(right_tree, row);
  std::printf("%zu %.0f %.0f\n", pairs, built - begun, Microseconds() - built);
}

struct Counter {  // an output iterator that keeps a number alone
  using iterator_category = std::output_iterator_tag;
  using value_type = void;
  using difference_type = void;
  using pointer = void;
  using reference = void;
  std::size_t* count;
  Counter& operator*() { return *this; }
  Counter& operator++() { return *this; }
  Counter operator++(int) { return *this; }
  template <class Value>
  Counter& operator=(const Value&) {
    ++*count;
    return *this;
  }
};

template <class Tree, class Predicate>
std::size_t Count(const Tree& tree, const Predicate& predicate) {
  std::size_t count = 0;
  tree.query(predicate, Counter{&count});
  return count;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  const Sides sides = Read();
  if (std::strcmp(argv[1], "pairs") == 0) {
    Join(sides.left, sides.right, [](const auto& tree, const Box& row) { return Count(tree, bgi::intersects(row)); });
  } else if (std::strcmp(argv[1], "within") == 0 && argc == 3) {
    const double limit = std::atof(argv[2]);
    Join(Centres(sides.left), Centres(sides.right), [limit](const auto& tree, const Point& row) {
      const Box around(Point(row.get<0>() - limit, row.get<1>() - limit), Point(row.get<0>() + limit, row.get<1>() + limit));
      const auto near = [&row, limit](const Point& other) { return bg::distance(row, other) < limit; };
      return Count(tree, bgi::intersects(around) && bgi::satisfies(near));
    });
  } else if (std::strcmp(argv[1], "nearest") == 0 && argc == 3) {
    const auto k = static_cast<unsigned>(std::atoi(argv[2]));
    Join(Centres(sides.left), Centres(sides.right), [k](const auto& tree, const Point& row) { return Count(tree, bgi::nearest(row, k)); });
  } else {
    return 2;
  }
  return 0;
}
