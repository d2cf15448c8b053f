//===- WeightStoreTest.cpp - weights in files -----------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Support/WeightStore.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"
#include "gtest/gtest.h"

using namespace lowbit;
using llvm::StringRef;

namespace {

class WeightStoreTest : public ::testing::Test {
protected:
  void SetUp() override {
    ASSERT_FALSE(llvm::sys::fs::createUniqueDirectory("lowbit-store", folder));
    store.setBaseDirectory(folder);
  }
  void TearDown() override { llvm::sys::fs::remove_directories(folder); }

  std::string getPath(StringRef name) {
    llvm::SmallString<128> path(folder);
    llvm::sys::path::append(path, name);
    return path.str().str();
  }
  void writeFile(StringRef name, StringRef content) {
    std::error_code error;
    llvm::raw_fd_ostream os(getPath(name), error);
    ASSERT_FALSE(error);
    os << content;
  }
  static std::string messageOf(llvm::Error error) {
    return llvm::toString(std::move(error));
  }
  static StringRef toString(llvm::ArrayRef<char> bytes) {
    return {bytes.data(), bytes.size()};
  }

  llvm::SmallString<128> folder;
  WeightStore store;
};

TEST_F(WeightStoreTest, ReadsRawSlices) {
  writeFile("raw.bin", "0123456789");
  auto bytes = store.get("raw.bin", 2, 4);
  ASSERT_TRUE(bool(bytes));
  EXPECT_EQ(toString(*bytes), "2345");
}

TEST_F(WeightStoreTest, AlignsSlicesOnDemand) {
  writeFile("raw.bin", "0123456789");
  auto bytes = store.get("raw.bin", 3, 4, /*alignment=*/4);
  ASSERT_TRUE(bool(bytes));
  EXPECT_EQ(toString(*bytes), "3456");
  EXPECT_EQ(reinterpret_cast<uintptr_t>(bytes->data()) % 4, 0u);
}

// Copies of whole pages, too, of which the system has no other.
TEST_F(WeightStoreTest, ReleasedSlicesStayValid) {
  const std::string content(1 << 16, 'x');
  writeFile("raw.bin", "abc" + content);
  for (uint64_t alignment : {1, 8}) {
    auto bytes = store.get("raw.bin", 3, content.size(), alignment);
    ASSERT_TRUE(bool(bytes));
    store.release(*bytes);
    EXPECT_EQ(toString(*bytes), content);
  }
}

TEST_F(WeightStoreTest, MissingFileIsNamed) {
  auto bytes = store.get("absent.bin", 0, 1);
  ASSERT_FALSE(bool(bytes));
  EXPECT_NE(messageOf(bytes.takeError()).find("absent.bin"), std::string::npos);
}

TEST_F(WeightStoreTest, ShortFileIsAnError) {
  writeFile("raw.bin", "0123");
  auto bytes = store.get("raw.bin", 2, 4);
  ASSERT_FALSE(bool(bytes));
  EXPECT_NE(messageOf(bytes.takeError()).find("too short: it has 4 bytes"),
            std::string::npos);
  // The sum of offset and length must not wrap around.
  auto wrapped = store.get("raw.bin", 2, ~uint64_t(0));
  EXPECT_FALSE(bool(wrapped));
  llvm::consumeError(wrapped.takeError());
}

TEST_F(WeightStoreTest, WritesAreReadableBeforeAndAfterCommit) {
  store.setOutputPath(getPath("new.safetensors"));
  auto path = store.write("a", "I8", {3}, {'x', 'y', 'z'});
  ASSERT_TRUE(bool(path)) << messageOf(path.takeError());
  EXPECT_EQ(*path, "new.safetensors");
  auto second = store.write("b", "F32", {1}, {1, 2, 3, 4});
  ASSERT_TRUE(bool(second));
  auto before = store.get("new.safetensors", "a");
  ASSERT_TRUE(bool(before));
  EXPECT_EQ(toString(*before), "xyz");
  EXPECT_FALSE(llvm::sys::fs::exists(getPath("new.safetensors")));
  ASSERT_FALSE(bool(store.commitOutput()));
  EXPECT_EQ(toString(*before), "xyz");

  WeightStore reader;
  reader.setBaseDirectory(folder);
  auto after = reader.get("new.safetensors", "b");
  ASSERT_TRUE(bool(after)) << messageOf(after.takeError());
  EXPECT_EQ(after->size(), 4u);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(after->data()) % 4, 0u);
  auto missing = reader.get("new.safetensors", "c");
  ASSERT_FALSE(bool(missing));
  EXPECT_NE(messageOf(missing.takeError()).find("no tensor named 'c'"),
            std::string::npos);
}

TEST_F(WeightStoreTest, LeavesOutWhatNothingNames) {
  store.setOutputPath(getPath("new.safetensors"));
  for (llvm::StringRef name : {"a", "b", "c"})
    ASSERT_TRUE(bool(store.write(name, "I8", {1}, {'x'})));
  store.keepOnly({"a"});
  store.keepOnly({"c", "elsewhere"});
  ASSERT_FALSE(bool(store.commitOutput()));
  WeightStore reader;
  reader.setBaseDirectory(folder);
  for (llvm::StringRef name : {"a", "c"})
    EXPECT_TRUE(bool(reader.get("new.safetensors", name)));
  auto missing = reader.get("new.safetensors", "b");
  ASSERT_FALSE(bool(missing));
  EXPECT_NE(messageOf(missing.takeError()).find("no tensor named 'b'"),
            std::string::npos);
}

TEST_F(WeightStoreTest, UncommittedOutputLeavesNothing) {
  {
    WeightStore writer;
    writer.setOutputPath(getPath("new.safetensors"));
    ASSERT_TRUE(bool(writer.write("a", "I8", {1}, {'x'})));
  }
  std::error_code error;
  llvm::sys::fs::directory_iterator entry(folder, error), end;
  EXPECT_EQ(entry, end);
}

TEST_F(WeightStoreTest, ScratchOutputGoesAway) {
  std::string path;
  {
    WeightStore scratch;
    ASSERT_FALSE(bool(scratch.useScratchOutput()));
    auto written = scratch.write("a", "I8", {1}, {'x'});
    ASSERT_TRUE(bool(written));
    path = scratch.getPathFrom(*written, "/") + ".partial";
    EXPECT_TRUE(llvm::sys::fs::exists("/" + path));
    auto bytes = scratch.get(*written, "a");
    ASSERT_TRUE(bool(bytes));
    EXPECT_EQ(toString(*bytes), "x");
  }
  EXPECT_FALSE(llvm::sys::fs::exists("/" + path));
}

TEST_F(WeightStoreTest, TheSameNameTwiceIsAnError) {
  store.setOutputPath(getPath("new.safetensors"));
  ASSERT_TRUE(bool(store.write("a", "I8", {1}, {'x'})));
  auto again = store.write("a", "I8", {1}, {'x'});
  ASSERT_FALSE(bool(again));
  EXPECT_NE(messageOf(again.takeError()).find("already holds"),
            std::string::npos);
}

TEST_F(WeightStoreTest, PathsAreSeenFromOtherFolders) {
  EXPECT_EQ(store.getPathFrom("w.bin", getPath("sub")), "../w.bin");
  EXPECT_EQ(store.getPathFrom("sub/w.bin", getPath("sub")), "w.bin");
}

} // namespace
