// The worker's side of requests (worker/requests.h): begins what they ask for, and answers once it is done.
#pragma once

#include "worker/held_indexes.h"

namespace xtree {

void ServeRequests(const IndexList& list);  // new ones
void AnswerRequests();                      // those that are done, or have waited long enough

}  // namespace xtree
