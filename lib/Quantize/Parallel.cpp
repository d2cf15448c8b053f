//===- Parallel.cpp - Loops over independent tasks ------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Parallel.h"
#include "llvm/Support/ThreadPool.h"
#include "llvm/Support/Threading.h"
#include <algorithm>
#include <atomic>

using namespace lowbit;

void lowbit::parallelFor(int64_t count, unsigned threads,
                         llvm::function_ref<void(int64_t)> task) {
  int64_t workers = std::min<int64_t>(
      count, llvm::hardware_concurrency(threads).compute_thread_count());
  if (threads != 0)
    workers = std::min<int64_t>(count, threads);
  if (workers <= 1) {
    for (int64_t i = 0; i < count; ++i)
      task(i);
    return;
  }
  std::atomic<int64_t> next = 0;
  llvm::ThreadPoolStrategy strategy;
  strategy.ThreadsRequested = workers;
  // Tests ask for more threads than there are processors.
  strategy.Limit = false;
  llvm::DefaultThreadPool pool(strategy);
  for (int64_t worker = 0; worker < workers; ++worker)
    pool.async([&] {
      for (int64_t i = next++; i < count; i = next++)
        task(i);
    });
  pool.wait();
}
