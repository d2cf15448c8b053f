//===- WeightWriter.cpp - new weights, written once and readable at once --===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Support/WeightWriter.h"
#include "lowbit/Support/Memory.h"
#include "lowbit/Support/OutputFile.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/Signals.h"
#include <cerrno>
#include <unistd.h>

using namespace lowbit;
namespace fs = llvm::sys::fs;

/// Tensors begin at multiples of the largest page size in use, so that each can
/// be mapped by itself while the file still grows.
static uint64_t getTensorAlignment() {
  return llvm::sys::Process::getPageSizeEstimate();
}

static llvm::Error makeWriteError(llvm::StringRef path, std::error_code error) {
  return makeError("cannot write '" + path + "': " + error.message());
}

static std::error_code writeAll(int descriptor, llvm::ArrayRef<char> bytes,
                                uint64_t offset) {
  while (!bytes.empty()) {
    // One call writes at most 2 GiB on Linux.
    ssize_t written = ::pwrite(descriptor, bytes.data(),
                               std::min<size_t>(bytes.size(), 1u << 30),
                               static_cast<off_t>(offset));
    if (written < 0) {
      if (errno == EINTR)
        continue;
      return std::error_code(errno, std::generic_category());
    }
    bytes = bytes.drop_front(written);
    offset += written;
  }
  return {};
}

llvm::Expected<std::unique_ptr<WeightWriter>>
WeightWriter::create(llvm::StringRef path) {
  std::string partial = (path + ".partial").str();
  int descriptor;
  if (std::error_code error = fs::openFileForReadWrite(
          partial, descriptor, fs::CD_CreateAlways, fs::OF_None))
    return makeWriteError(path, error);
  llvm::sys::RemoveFileOnSignal(partial);
  return std::unique_ptr<WeightWriter>(
      new WeightWriter(path, partial, descriptor));
}

WeightWriter::~WeightWriter() {
  mapped.clear();
  fs::closeFile(descriptor);
  fs::remove(partial);
  llvm::sys::DontRemoveFileOnSignal(partial);
}

llvm::Error WeightWriter::write(llvm::StringRef name, llvm::StringRef dtype,
                                llvm::ArrayRef<int64_t> shape,
                                llvm::ArrayRef<char> bytes) {
  if (!indices.try_emplace(name, tensors.size()).second)
    return makeError("'" + path + "' already holds a tensor named '" + name +
                     "'");
  uint64_t offset = llvm::alignTo(size, getTensorAlignment());
  if (std::error_code error = writeAll(descriptor, bytes, offset))
    return makeWriteError(path, error);
  size = offset + bytes.size();
  tensors.push_back(
      {name.str(), {dtype.str(), shape.vec(), offset, bytes.size()}});
  return llvm::Error::success();
}

llvm::Expected<llvm::ArrayRef<char>> WeightWriter::read(llvm::StringRef name) {
  auto found = indices.find(name);
  if (found == indices.end())
    return makeError("'" + path + "' holds no tensor named '" + name + "'");
  const SafeTensorsEntry &entry = tensors[found->second].second;
  if (entry.length == 0)
    return llvm::ArrayRef<char>();
  std::unique_ptr<fs::mapped_file_region> &region = mapped[name];
  if (!region) {
    std::error_code error;
    auto fresh = std::make_unique<fs::mapped_file_region>(
        fs::convertFDToNativeFile(descriptor), fs::mapped_file_region::readonly,
        entry.length, entry.offset, error);
    if (error)
      return makeError("cannot map '" + partial + "': " + error.message());
    region = std::move(fresh);
  }
  return llvm::ArrayRef<char>(region->const_data(), entry.length);
}

llvm::Error
WeightWriter::commit(llvm::function_ref<bool(llvm::StringRef name)> keep) {
  // The format forbids holes between tensors. In this order each tensor begins
  // at a multiple of its element size, and nearly all at one of 64 bytes.
  std::vector<std::pair<std::string, SafeTensorsEntry>> packed;
  llvm::copy_if(tensors, std::back_inserter(packed),
                [&](const auto &tensor) { return keep(tensor.first); });
  auto rank = [](const SafeTensorsEntry &entry) {
    return entry.length % 64 == 0 ? ~0u
                                  : getSafeTensorsElementSize(entry.dtype);
  };
  llvm::stable_sort(packed, [&](const auto &a, const auto &b) {
    return rank(a.second) > rank(b.second);
  });
  uint64_t position = 0;
  for (auto &[name, entry] : packed) {
    entry.offset = position;
    position += entry.length;
  }

  llvm::Expected<OutputFile> file = OutputFile::create(path);
  if (!file)
    return file.takeError();
  file->os() << makeSafeTensorsHeader(packed);
  for (auto &[name, entry] : packed) {
    llvm::Expected<llvm::ArrayRef<char>> bytes = read(name);
    if (!bytes)
      return bytes.takeError();
    file->os().write(bytes->data(), bytes->size());
    releasePages(*bytes);
  }
  return file->commit();
}
