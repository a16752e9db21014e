// See recent_buffers.h.
#include "storage/recent_buffers.h"

#include "page/node.h"
#include "storage/read_page.h"

extern "C" {
#include "common/hashfn.h"
#include "pgstat.h"
}

namespace xtree {

namespace {

// `name` tells most pages apart; ReadRecentBuffer() tells all.
struct Recent {
  uint32_t name;
  Buffer buffer;  // InvalidBuffer: none
};

// Small indexes share the first kFew places, so that a session that uses a thousand of them does not touch the whole table.
constexpr uint32_t kFew = 512;
constexpr BlockNumber kSmall = 8;
Recent recent[16384];

// Every so many reads the server's own way, which alone counts as a use of the page for its replacement.
constexpr uint32_t kOwnWayEvery = 16;
uint32_t reads = 0;

struct Place {
  uint32_t name;
  Recent* recent;
};

Place PlaceOf(Relation index, BlockNumber block) {
  const uint32_t name = murmurhash32(pg::FileNumberOf(index)) + block;
  return {name, &recent[block < kSmall ? name % kFew : kFew + name % (lengthof(recent) - kFew)]};
}

bool Found(const Place& place) { return place.recent->name == place.name && place.recent->buffer != InvalidBuffer; }

}  // namespace

Buffer ReadBufferAgain(Relation index, BlockNumber block) {
  if (RelationUsesLocalBuffers(index)) return ReadPage(index, block, nullptr);
  const Place place = PlaceOf(index, block);
  if (Found(place) && ++reads % kOwnWayEvery != 0 && ReadRecentBuffer(pg::LocatorOf(index), MAIN_FORKNUM, block, place.recent->buffer)) {
    pgstat_count_buffer_read(index);
    pgstat_count_buffer_hit(index);
    return place.recent->buffer;
  }
  const Buffer buffer = ReadPage(index, block, nullptr);
  *place.recent = {place.name, buffer};
  return buffer;
}

void ApproachBuffer(Relation index, BlockNumber block) {
  const Place place = PlaceOf(index, block);
  if (Found(place) && !RelationUsesLocalBuffers(index)) FetchEnds(pg::BufferBytes(place.recent->buffer));
}

}  // namespace xtree
