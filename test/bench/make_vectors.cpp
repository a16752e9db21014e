// Makes vectors with the spectrum of embeddings of texts, as COPY reads them (binary, columns id int4, tenant int4, v): clustered, with variances that
// decay along directions that are none of the axes, of length 1. For the part "vectors" of the benchmark.
//   make_vectors SEED DIMENSIONS FIRST COUNT vector|array >file
// Row n is the same whatever FIRST and COUNT are. A vector is the sum of what it is about (one of 500 topics, of unequal size), how it is put (one of
// 200 manners) and what is its own, each with variances 1/1, 1/2, 1/3 ... along the directions; so some 30 dimensions count.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <numeric>
#include <string>
#include <vector>

namespace {

constexpr int kTopics = 500, kManners = 200;

// SplitMix64.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t Next() {
    uint64_t z = state_ += 0x9E3779B97F4A7C15;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
    z = (z ^ z >> 27) * 0x94D049BB133111EB;
    return z ^ z >> 31;
  }
  double Uniform() { return (static_cast<double>(Next() >> 11) + 0.5) / 9007199254740992.0; }

  // Two at a time (Box and Muller).
  void Normal(double* first, double* second) {
    const double radius = std::sqrt(-2 * std::log(Uniform())), angle = 6.283185307179586 * Uniform();
    *first = radius * std::cos(angle);
    *second = radius * std::sin(angle);
  }

 private:
  uint64_t state_;
};

uint64_t Mix(uint64_t seed, uint64_t kind, uint64_t number) { return Random(seed ^ kind << 56 ^ number * 0xD6E8FEB86659FD93).Next(); }

// A rotation: twice signs, a permutation, and a Hadamard transform of blocks.
class Rotation {
 public:
  Rotation(uint64_t seed, int dimensions) : dimensions_(dimensions), moved_(dimensions) {
    while (dimensions % (2 * block_) == 0) block_ *= 2;
    Random random(Mix(seed, 1, 0));
    for (int round = 0; round < 2; round++) {
      sign_[round].resize(dimensions);
      place_[round].resize(dimensions);
      std::iota(place_[round].begin(), place_[round].end(), 0);
      for (int i = 0; i < dimensions; i++) sign_[round][i] = random.Next() >> 63 != 0 ? -1 : 1;
      for (int i = dimensions - 1; i > 0; i--) std::swap(place_[round][i], place_[round][random.Next() % (i + 1)]);
    }
  }

  void Turn(std::vector<double>* vector) {
    const double scale = 1 / std::sqrt(static_cast<double>(block_));
    for (int round = 0; round < 2; round++) {
      for (int i = 0; i < dimensions_; i++) moved_[place_[round][i]] = (*vector)[i] * sign_[round][i] * scale;
      for (int first = 0; first < dimensions_; first += block_) Hadamard(moved_.data() + first);
      vector->swap(moved_);
    }
  }

 private:
  void Hadamard(double* block) const {
    for (int half = 1; half < block_; half *= 2) {
      for (int i = 0; i < block_; i += 2 * half) {
        for (int j = i; j < i + half; j++) {
          const double a = block[j], b = block[j + half];
          block[j] = a + b;
          block[j + half] = a - b;
        }
      }
    }
  }

  int dimensions_;
  int block_ = 1;
  std::vector<double> sign_[2];
  std::vector<int> place_[2];
  std::vector<double> moved_;
};

void AddNormal(uint64_t seed, const std::vector<double>& deviation, double weight, std::vector<double>* vector) {
  Random random(seed);
  double value[2];
  for (size_t i = 0; i < deviation.size(); i++) {
    if (i % 2 == 0) random.Normal(&value[0], &value[1]);
    (*vector)[i] += weight * deviation[i] * value[i % 2];
  }
}

void Put(std::string* out, uint32_t value, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) out->push_back(static_cast<char>(value >> shift));
}

void PutRow(uint32_t id, const std::vector<double>& vector, bool array, std::string* out) {
  constexpr uint32_t kFloat4 = 700;  // the type's OID
  const auto dimensions = static_cast<uint32_t>(vector.size());
  Put(out, 3, 2);
  Put(out, 4, 4);
  Put(out, id, 4);
  Put(out, 4, 4);
  Put(out, static_cast<uint32_t>(static_cast<uint64_t>(id) * 7919 % 1000), 4);
  Put(out, array ? 20 + 8 * dimensions : 4 + 4 * dimensions, 4);
  if (array) {
    for (const uint32_t word : {uint32_t{1}, uint32_t{0}, kFloat4, dimensions, uint32_t{1}}) Put(out, word, 4);
  } else {
    Put(out, dimensions << 16, 4);
  }
  for (const double coordinate : vector) {
    const auto narrow = static_cast<float>(coordinate);
    uint32_t bits;
    std::memcpy(&bits, &narrow, sizeof(bits));
    if (array) Put(out, 4, 4);
    Put(out, bits, 4);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) {
    std::fprintf(stderr, "usage: make_vectors SEED DIMENSIONS FIRST COUNT vector|array\n");
    return 2;
  }
  const uint64_t seed = std::strtoull(argv[1], nullptr, 10);
  const int dimensions = std::atoi(argv[2]);
  const uint32_t first = static_cast<uint32_t>(std::atoi(argv[3])), count = static_cast<uint32_t>(std::atoi(argv[4]));
  const bool array = std::strcmp(argv[5], "array") == 0;
  std::vector<double> deviation(dimensions);
  for (int i = 0; i < dimensions; i++) deviation[i] = 1 / std::sqrt(i + 1.0);
  std::vector<std::vector<double>> topics(kTopics, std::vector<double>(dimensions, 0.0)),
      manners(kManners, std::vector<double>(dimensions, 0.0));
  for (int i = 0; i < kTopics; i++) AddNormal(Mix(seed, 2, i), deviation, 1, &topics[i]);
  for (int i = 0; i < kManners; i++) AddNormal(Mix(seed, 3, i), deviation, 0.5, &manners[i]);
  Rotation rotation(seed, dimensions);
  std::string out("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19);
  std::vector<double> vector(dimensions);
  for (uint32_t id = first; id < first + count; id++) {
    Random random(Mix(seed, 4, id));
    const auto& topic = topics[static_cast<int>(kTopics * random.Uniform() * random.Uniform())];
    const auto& manner = manners[random.Next() % kManners];
    for (int i = 0; i < dimensions; i++) vector[i] = topic[i] + manner[i];
    AddNormal(random.Next(), deviation, 0.7, &vector);
    vector[0] += 1.5;  // all have something in common
    rotation.Turn(&vector);
    double square = 0;
    for (const double x : vector) square += x * x;
    for (double& x : vector) x /= std::sqrt(square);
    PutRow(id, vector, array, &out);
    if (out.size() > 1 << 20) {
      if (std::fwrite(out.data(), 1, out.size(), stdout) != out.size()) return 1;
      out.clear();
    }
  }
  Put(&out, 0xFFFF, 2);
  return std::fwrite(out.data(), 1, out.size(), stdout) == out.size() && std::fflush(stdout) == 0 ? 0 : 1;
}
