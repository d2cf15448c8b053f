//===- ActivationStoreTest.cpp - values that wait to be used --------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Calibration/ActivationStore.h"
#include "mlir/IR/Block.h"
#include "mlir/IR/Builders.h"
#include "gtest/gtest.h"

using namespace lowbit;

namespace {

class ActivationStoreTest : public ::testing::Test {
protected:
  ActivationStoreTest() {
    mlir::Builder builder(&context);
    for (int i = 0; i < 3; ++i)
      block.addArgument(builder.getF32Type(), builder.getUnknownLoc());
  }

  static Tensor makeTensor(float first) {
    return Tensor::get<float>({2, 2}, {first, first + 1, first + 2, first + 3});
  }
  void put(ActivationStore &store, unsigned value, unsigned batch) {
    llvm::cantFail(store.put(block.getArgument(value), batch,
                             makeTensor(10 * value + 100 * batch)));
  }
  void check(const ActivationStore &store, unsigned value, unsigned batch) {
    Tensor tensor = llvm::cantFail(store.get(block.getArgument(value), batch));
    EXPECT_EQ(tensor.getShape(), (llvm::ArrayRef<int64_t>{2, 2}));
    EXPECT_EQ(tensor.values<float>(),
              makeTensor(10 * value + 100 * batch).values<float>());
  }

  mlir::MLIRContext context;
  mlir::Block block;
};

TEST_F(ActivationStoreTest, HoldsEverythingWithoutABudget) {
  ActivationStore store(0);
  for (unsigned value = 0; value < 3; ++value)
    for (unsigned batch = 0; batch < 4; ++batch)
      put(store, value, batch);
  EXPECT_EQ(store.getResidentBytes(), 12u * 16);
  EXPECT_EQ(store.getSpilledBytes(), 0u);
  check(store, 2, 3);
  store.erase(block.getArgument(1));
  EXPECT_FALSE(store.contains(block.getArgument(1)));
  EXPECT_EQ(store.getResidentBytes(), 8u * 16);
  check(store, 0, 0);
}

TEST_F(ActivationStoreTest, SpillsWhatExceedsTheBudget) {
  ActivationStore store(3 * 16);
  for (unsigned value = 0; value < 3; ++value)
    for (unsigned batch = 0; batch < 2; ++batch)
      put(store, value, batch);
  EXPECT_EQ(store.getResidentBytes(), 3u * 16);
  EXPECT_EQ(store.getSpilledBytes(), 3u * 16);
  for (unsigned value = 0; value < 3; ++value)
    for (unsigned batch = 0; batch < 2; ++batch)
      check(store, value, batch);
  // Freed pieces of the file and of memory are used again.
  store.erase(block.getArgument(2));
  EXPECT_EQ(store.getSpilledBytes(), 1u * 16);
  put(store, 2, 0);
  check(store, 2, 0);
  check(store, 1, 1);
  store.erase(block.getArgument(0));
  EXPECT_EQ(store.getResidentBytes(), 1u * 16);
}

TEST_F(ActivationStoreTest, TensorsOutliveTheirEntry) {
  ActivationStore store(0);
  put(store, 0, 0);
  Tensor tensor = llvm::cantFail(store.get(block.getArgument(0), 0));
  store.erase(block.getArgument(0));
  EXPECT_EQ(tensor.values<float>()[3], 3);
}

} // namespace
