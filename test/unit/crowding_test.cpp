// How many children of a node lie over one place, of boxes, of builds, and of trees that inserts have changed.
#include "core/estimate/crowding.h"

#include "bulk_fixture.h"

namespace xtree::test {
namespace {

Box BoxOf(const std::vector<std::pair<double, double>>& sides) {
  Box box{};
  for (size_t d = 0; d < sides.size(); d++) {
    box.lo[d] = OrdinalFromDouble(sides[d].first);
    box.hi[d] = OrdinalFromDouble(sides[d].second);
  }
  return box;
}

double CrowdingOf(const std::vector<Box>& boxes) {
  const KeyLayout layout = bulk::Load({bulk::kBox}).layout;
  return CrowdingOfNode(layout, boxes.size(), [&](auto&& visit) {
    for (size_t i = 0; i < boxes.size(); i++) visit(i, boxes[i]);
  });
}

TEST(Crowding, OfBoxes) {
  EXPECT_EQ(CrowdingOf({}), 0);
  std::vector<Box> apart, alike;
  for (int i = 0; i < 100; i++) {
    apart.push_back(BoxOf({{i, i + 0.9}, {-5, 5}}));
    alike.push_back(BoxOf({{-1, 1}, {-5, 5}}));
  }
  EXPECT_EQ(CrowdingOf(apart), 1);
  EXPECT_EQ(CrowdingOf(alike), 100);
  std::vector<Box> half = apart;
  half.push_back(BoxOf({{-1, 101}, {-5, 5}}));
  EXPECT_NEAR(CrowdingOf(half), 2, 0.01) << "one over all";
}

// A box without values is no place, and over none.
TEST(Crowding, WithoutValues) {
  Box none = BoxOf({{0, 0}, {0, 0}});
  none.lo[0] = kOrdinalMax;
  none.hi[0] = kOrdinalMin;
  EXPECT_EQ(CrowdingOf({none, none}), 0);
  EXPECT_EQ(CrowdingOf({none, BoxOf({{0, 1}, {0, 1}})}), 1);
}

TEST(Crowding, IsPlaceTakesFew) {
  for (const size_t children : {1, 2, 16, 17, 100, 5000}) {
    int places = 0;
    for (size_t i = 0; i < children; i++) places += Crowding::IsPlace(i, children);
    EXPECT_GE(places, static_cast<int>(std::min<size_t>(children, Crowding::kPlaces / 2)));
    EXPECT_LE(places, Crowding::kPlaces);
  }
}

// What a build has measured of what it wrote.
TEST(Crowding, OfBuilds) {
  bulk::Load points({bulk::kPoint}), boxes({bulk::kBox}), few({bulk::kPoint});
  bulk::Random random(1);
  for (int i = 0; i < 60000; i++) {
    const double x = random.Uniform(1000), y = random.Uniform(1000);
    points.Add({x, y});
    boxes.Add({x, y}, {x + 200, y + 200});
  }
  few.Add({1, 1});
  points.Finish();
  boxes.Finish();
  few.Finish();
  const double of_points = CrowdingOfTop(points.statistics.crowding, points.statistics.levels);
  EXPECT_GE(of_points, 1);
  EXPECT_LT(of_points, 1.2);
  EXPECT_GT(CrowdingOfTop(boxes.statistics.crowding, boxes.statistics.levels), 3);
  EXPECT_EQ(CrowdingOfTop(few.statistics.crowding, few.statistics.levels), 0);
}

}  // namespace
}  // namespace xtree::test
