// Requests of backends to the worker: unload, unpin, ... are done in the worker's process, which alone holds pins and knows the order
// of use. A backend posts a request and waits for its answer; a cancelled wait leaves the request to the worker, which finishes it.
//
// Requests lie in shared memory (shmem/worker_request.h), under shared->lock; waiting is for shared->request_done.
#pragma once

#include "shmem/worker_request.h"

namespace xtree {

// Any backend. Posts the request and waits for the answer; interruptible. ERROR without shared_preload_libraries, without a running
// worker, and when the worker ends meanwhile (ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE). `problem` of the answer is the caller's to
// report. An answer comes within a few seconds, even where running scans hold an index (RequestAnswer::waiting).
RequestAnswer AskWorker(RequestKind kind, IndexKey key, int64 amount);

// The worker. The next posted request in order of posting, which the worker now serves; false: none.
bool TakeRequest(int* slot, WorkerRequest* request);
void AnswerRequest(int slot, const RequestAnswer& answer);
// At the start of a worker: what its predecessor left unanswered is answered with a problem.
void AnswerLeftRequests();

}  // namespace xtree
