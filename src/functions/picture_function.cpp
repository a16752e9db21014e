// SQL function xtree_svg(index, dimensions, min_level, max_level, window_lower, window_upper, width, height, max_boxes): the picture of a tree.
// For the index's owner, as xtree_nodes: bounds are keys. AccessShareLock.
#include "functions/index_picture.h"

extern "C" {
#include "utils/array.h"

PG_FUNCTION_INFO_V1(xtree_svg);
}

namespace xtree {

namespace {

int IntOr(FunctionCallInfo fcinfo, int argument, int otherwise) { return PG_ARGISNULL(argument) ? otherwise : PG_GETARG_INT32(argument); }

ArrayType* ArrayOrNone(FunctionCallInfo fcinfo, int argument) { return PG_ARGISNULL(argument) ? nullptr : PG_GETARG_ARRAYTYPE_P(argument); }

}  // namespace

}  // namespace xtree

extern "C" Datum xtree_svg(PG_FUNCTION_ARGS) {
  using namespace xtree;
  if (PG_ARGISNULL(0)) ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("index must not be null")));
  const PictureRequest ordinary = OrdinaryPicture();
  const PictureRequest request = {
      ArrayOrNone(fcinfo, 1),
      IntOr(fcinfo, 2, ordinary.min_level),
      IntOr(fcinfo, 3, ordinary.max_level),
      ArrayOrNone(fcinfo, 4),
      ArrayOrNone(fcinfo, 5),
      IntOr(fcinfo, 6, ordinary.width),
      IntOr(fcinfo, 7, ordinary.height),
      IntOr(fcinfo, 8, ordinary.max_boxes),
  };
  PG_RETURN_TEXT_P(PictureOfIndex(PG_GETARG_OID(0), request));
}
