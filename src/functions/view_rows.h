// RowWriter: builds the rows of a set-returning function, one value after the other in the order of its columns. Plain data; what it
// calls may raise, so it belongs where no C++ object is alive and no lock held.
#pragma once

#include "pg/postgres_api.h"

extern "C" {
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"
}

namespace xtree {

class RowWriter {
 public:
  explicit RowWriter(FunctionCallInfo call) : result_(reinterpret_cast<ReturnSetInfo*>(call->resultinfo)), next_(0) {
    InitMaterializedSRF(call, 0);
  }

  RowWriter& Add(Datum value, bool null = false) {
    Assert(next_ < kMaxColumns);
    values_[next_] = value;
    nulls_[next_++] = null;
    return *this;
  }
  RowWriter& Null() { return Add(0, true); }
  RowWriter& Id(Oid oid) { return Add(ObjectIdGetDatum(oid), oid == InvalidOid); }
  RowWriter& Int(int value) { return Add(Int32GetDatum(value)); }
  RowWriter& Count(int64 value) { return Add(Int64GetDatum(value)); }
  RowWriter& Real(double value) { return Add(Float8GetDatum(value)); }
  RowWriter& Truth(bool value) { return Add(BoolGetDatum(value)); }
  // NULL where empty.
  RowWriter& Text(const char* text) { return text[0] == '\0' ? Null() : Add(CStringGetTextDatum(text)); }
  // NULL where 0: never.
  RowWriter& Time(TimestampTz time) { return Add(TimestampTzGetDatum(time), time == 0); }
  // Milliseconds, as PostgreSQL's own statistics give times.
  RowWriter& Duration(int64 microseconds) { return Real(static_cast<double>(microseconds) / 1000); }

  // Ends the row.
  void Put() {
    Assert(next_ == result_->setDesc->natts);
    tuplestore_putvalues(result_->setResult, result_->setDesc, values_, nulls_);
    next_ = 0;
  }

 private:
  static constexpr int kMaxColumns = 32;

  ReturnSetInfo* result_;
  int next_;
  Datum values_[kMaxColumns];
  bool nulls_[kMaxColumns];
};
static_assert(std::is_trivially_destructible_v<RowWriter>);

}  // namespace xtree
