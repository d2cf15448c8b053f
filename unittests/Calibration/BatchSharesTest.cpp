//===- BatchSharesTest.cpp - which process calibrates on what -------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Calibration/BatchShares.h"
#include "gtest/gtest.h"

using namespace lowbit;

namespace {

TEST(BatchShares, EachBatchHasOneOwnerInOrder) {
  for (unsigned batches : {1u, 2u, 7u, 8u, 9u, 31u, 64u})
    for (unsigned processes : {1u, 2u, 3u, 5u, 8u, 13u}) {
      BatchShares shares(batches, processes);
      unsigned next = 0;
      for (unsigned process = 0; process < processes; ++process) {
        const auto [begin, end] = shares.getShare(process);
        EXPECT_LE(begin, end);
        if (begin == end)
          continue;
        EXPECT_EQ(begin, next);
        for (unsigned batch = begin; batch < end; ++batch)
          EXPECT_EQ(shares.getOwner(batch), process);
        next = end;
      }
      EXPECT_EQ(next, batches);
    }
}

TEST(BatchShares, ChunksDoNotDependOnProcesses) {
  BatchShares one(29, 1), five(29, 5);
  for (unsigned chunk = 0; chunk <= BatchShares::numChunks; ++chunk)
    EXPECT_EQ(one.getBegin(chunk), five.getBegin(chunk));
  EXPECT_EQ(one.getBegin(0), 0u);
  EXPECT_EQ(one.getBegin(BatchShares::numChunks), 29u);
}

TEST(BatchShares, NoChunkIsOwnedByTwo) {
  for (unsigned processes : {2u, 3u, 5u, 8u}) {
    BatchShares shares(50, processes);
    for (unsigned chunk = 0; chunk < BatchShares::numChunks; ++chunk)
      for (unsigned batch = shares.getBegin(chunk);
           batch < shares.getBegin(chunk + 1); ++batch)
        EXPECT_EQ(shares.getOwner(batch),
                  shares.getOwner(shares.getBegin(chunk)));
  }
}

TEST(BatchShares, TwoProcessesHaveHalfEach) {
  BatchShares shares(64, 2);
  EXPECT_EQ(shares.getShare(0), std::make_pair(0u, 32u));
  EXPECT_EQ(shares.getShare(1), std::make_pair(32u, 64u));
}

} // namespace
