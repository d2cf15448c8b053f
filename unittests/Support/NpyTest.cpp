//===- NpyTest.cpp - numpy's files of arrays ------------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Support/Npy.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"
#include "gtest/gtest.h"

using namespace lowbit;
using llvm::StringRef;

static std::string makeNpy(StringRef header, StringRef elements) {
  std::string file("\x93NUMPY\x01\x00", 8);
  file += char(header.size());
  file += '\0';
  return file + header.str() + elements.str();
}

static llvm::Expected<Tensor> parse(StringRef content) {
  return parseNpy({content.data(), content.size()}, "x.npy");
}

static std::string getMessage(StringRef content) {
  llvm::Expected<Tensor> tensor = parse(content);
  return tensor ? "no error" : llvm::toString(tensor.takeError());
}

TEST(NpyTest, ReadsAnyKeyOrderAndSpacing) {
  auto tensor = parse(makeNpy(
      "{\"shape\" : ( 2,1 ),'fortran_order':False , 'descr': '<i2'}   \n",
      StringRef("\1\0\2\0", 4)));
  ASSERT_TRUE(bool(tensor)) << llvm::toString(tensor.takeError());
  EXPECT_EQ(tensor->describe(), "int16[2, 1]");
  EXPECT_EQ(tensor->getBytes()[2], 2);
}

TEST(NpyTest, ScalarsAndEmptyArraysRoundTrip) {
  const std::vector<int64_t> shapes[] = {{}, {0, 3}, {5}, {2, 3, 4}};
  for (llvm::ArrayRef<int64_t> shape : shapes) {
    Tensor tensor(ElementType::F64, shape);
    for (int64_t i = 0; i < tensor.getNumElements(); ++i)
      tensor.data<double>()[i] = i + 0.5;
    auto content = serializeNpy(tensor);
    ASSERT_TRUE(bool(content));
    auto again = parse(*content);
    ASSERT_TRUE(bool(again)) << llvm::toString(again.takeError());
    EXPECT_EQ(again->getShape(), shape);
    EXPECT_EQ(again->values<double>(), tensor.values<double>());
  }
}

TEST(NpyTest, ElementsAreAligned) {
  auto content = serializeNpy(Tensor(ElementType::U8, {3}));
  ASSERT_TRUE(bool(content));
  EXPECT_EQ((content->size() - 3) % 64, 0u);
}

TEST(NpyTest, MalformedFilesAreErrors) {
  EXPECT_EQ(getMessage("PK\3\4"), "'x.npy' is not a .npy file");
  EXPECT_EQ(getMessage("\x93NUMPY"), "'x.npy' is truncated");
  EXPECT_EQ(getMessage(StringRef("\x93NUMPY\x09\x00\x10\x00", 10)),
            "'x.npy' has the unknown .npy version 9");
  EXPECT_EQ(getMessage(StringRef("\x93NUMPY\x01\x00\x10\x00{", 11)),
            "'x.npy' is truncated");
  EXPECT_EQ(getMessage(makeNpy("{'descr': '<f4', 'shape': (1,)}", "1234")),
            "'x.npy' has a malformed .npy header");
  EXPECT_EQ(
      getMessage(makeNpy(
          "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}", "")),
      "'x.npy' has a malformed .npy header");
}

static std::string withType(StringRef descr) {
  return makeNpy(
      ("{'descr': " + descr + ", 'fortran_order': False, 'shape': (1,)}").str(),
      "12345678");
}

TEST(NpyTest, UnusableElementTypesAreNamed) {
  EXPECT_EQ(getMessage(withType("'|O'")),
            "'x.npy' holds Python objects; save an array of numbers");
  EXPECT_EQ(getMessage(withType("'>f8'")),
            "'x.npy' is big-endian ('>f8'); save it with a little-endian type");
  EXPECT_EQ(getMessage(withType("'<c8'")),
            "'x.npy' has the unsupported element type '<c8'");
  EXPECT_EQ(getMessage(withType("[('a', '<f4')]")),
            "'x.npy' has the unsupported element type 'record'");
}

TEST(NpyTest, FortranOrderIsAnError) {
  EXPECT_EQ(getMessage(makeNpy(
                "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 1)}",
                "12345678")),
            "'x.npy' is in Fortran order; save numpy.ascontiguousarray(...) "
            "of it");
}

TEST(NpyTest, SizeMustFitTheShape) {
  auto withShape = [](StringRef shape) {
    return makeNpy(
        ("{'descr': '<f4', 'fortran_order': False, 'shape': " + shape + "}")
            .str(),
        "12345678");
  };
  EXPECT_EQ(getMessage(withShape("(3,)")),
            "'x.npy' is truncated: it has 8 bytes of elements, fewer than its "
            "shape takes");
  EXPECT_EQ(getMessage(withShape("(1,)")),
            "'x.npy' has 4 bytes after its last element");
  // The number of bytes must not wrap around.
  EXPECT_EQ(getMessage(withShape("(4611686018427387904, 4)")),
            "'x.npy' is truncated: it has 8 bytes of elements, fewer than its "
            "shape takes");
}

namespace {
class NpzTest : public ::testing::Test {
protected:
  void SetUp() override {
    ASSERT_FALSE(llvm::sys::fs::createUniqueDirectory("lowbit-npz", folder));
    path = folder;
    llvm::sys::path::append(path, "a.npz");
  }
  void TearDown() override { llvm::sys::fs::remove_directories(folder); }

  std::string readContent() {
    auto buffer = llvm::MemoryBuffer::getFile(path);
    return buffer ? (*buffer)->getBuffer().str() : "";
  }
  void writeContent(StringRef content) {
    std::error_code error;
    llvm::raw_fd_ostream os(path, error);
    ASSERT_FALSE(error);
    os << content;
  }
  std::string readMessage() {
    auto tensors = readNpz(path);
    return tensors ? "no error" : llvm::toString(tensors.takeError());
  }

  llvm::SmallString<128> folder, path;
};
} // namespace

TEST_F(NpzTest, RoundTrips) {
  NamedTensors tensors = {
      {"b", Tensor::get<float>({2, 1}, {1.5f, -2})},
      {"past.0.key", Tensor(ElementType::F16, {1, 2, 0, 4})},
      {"a", Tensor::get<int64_t>({}, {7})}};
  ASSERT_FALSE(bool(writeNpz(path, tensors)));
  auto again = readNpz(path);
  ASSERT_TRUE(bool(again)) << llvm::toString(again.takeError());
  ASSERT_EQ(again->size(), 3u);
  EXPECT_EQ((*again)[0].first, "b");
  EXPECT_EQ((*again)[0].second.values<float>()[1], -2);
  EXPECT_EQ((*again)[1].first, "past.0.key");
  EXPECT_EQ((*again)[1].second.describe(), "float16[1, 2, 0, 4]");
  EXPECT_EQ((*again)[2].second.values<int64_t>()[0], 7);
}

TEST_F(NpzTest, DamagedArchivesAreErrors) {
  ASSERT_FALSE(bool(writeNpz(path, {{"a", Tensor(ElementType::F32, {1000})}})));
  std::string content = readContent();
  writeContent(content.substr(0, content.size() / 2));
  EXPECT_NE(readMessage().find("as an .npz archive"), std::string::npos);
  writeContent("no archive");
  EXPECT_NE(readMessage().find("as an .npz archive"), std::string::npos);
  // A byte of the elements that does not fit the checksum.
  content[500] ^= 1;
  writeContent(content);
  EXPECT_NE(readMessage().find("truncated or damaged"), std::string::npos);
}

TEST_F(NpzTest, MissingFileIsAnError) {
  EXPECT_NE(readMessage().find("No such file"), std::string::npos);
}
