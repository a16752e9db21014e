// Differences between PostgreSQL's versions: read streams, which read pages ahead in an order that is known (from 17 on). See compat.h.
#pragma once

#include "pg/postgres_api.h"

#if PG_VERSION_NUM >= 170000
extern "C" {
#include "storage/read_stream.h"
}
#endif

namespace pg {

// For whom is read: it decides which setting says how far ahead.
enum class StreamFor { kQuery, kMaintenance };

#if PG_VERSION_NUM >= 170000

inline constexpr bool kHasReadStreams = true;

using ReadStream = ::ReadStream;

// Calls next(argument) for each block to come, InvalidBlockNumber at the end. Memory is of the current context, pins are of the current resource
// owner. It reads far ahead from the beginning: whoever has one expects that pages are absent, or reads them all.
template <BlockNumber (*kNext)(void* argument)>
ReadStream* BeginReadStream(Relation rel, BufferAccessStrategy strategy, StreamFor whom, void* argument) {
  int flags = READ_STREAM_FULL | (whom == StreamFor::kMaintenance ? READ_STREAM_MAINTENANCE : READ_STREAM_DEFAULT);
#if PG_VERSION_NUM >= 180000
  flags |= READ_STREAM_USE_BATCHING;  // kNext waits for nothing
#endif
  return read_stream_begin_relation(
      flags, strategy, rel, MAIN_FORKNUM, [](::ReadStream*, void* private_data, void*) { return kNext(private_data); }, argument, 0);
}
inline Buffer NextOfStream(ReadStream* stream) { return read_stream_next_buffer(stream, nullptr); }
inline void EndReadStream(ReadStream* stream) { read_stream_end(stream); }

#else

inline constexpr bool kHasReadStreams = false;

struct ReadStream;

template <BlockNumber (*kNext)(void* argument)>
ReadStream* BeginReadStream(Relation, BufferAccessStrategy, StreamFor, void*) {
  return nullptr;
}
inline Buffer NextOfStream(ReadStream*) { return InvalidBuffer; }
inline void EndReadStream(ReadStream*) {}

#endif

}  // namespace pg
