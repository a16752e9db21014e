// XTREE_SUPPORT_FUNCTION(name, routine): the SQL-callable support function 1 of an operator class, which returns its
// callbacks.
//
// Used by every file of this directory that defines operator classes, outside any namespace.
#pragma once

#include "pg/postgres_api.h"

extern "C" {
#include "fmgr.h"
}

#define XTREE_SUPPORT_FUNCTION(name, routine)                                      \
  extern "C" {                                                                     \
  PG_FUNCTION_INFO_V1(name);                                                       \
  Datum name([[maybe_unused]] PG_FUNCTION_ARGS) { PG_RETURN_POINTER(&(routine)); } \
  }
