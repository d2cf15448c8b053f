//===- WeightStore.cpp - read access to weights that lie in files ---------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Support/WeightStore.h"
#include "lowbit/Support/Memory.h"
#include "lowbit/Support/OutputFile.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include <cstring>

using namespace lowbit;
namespace fs = llvm::sys::fs;
namespace path = llvm::sys::path;

struct WeightStore::MappedFile {
  /// Null for an empty file, which cannot be mapped.
  std::unique_ptr<fs::mapped_file_region> region;
  /// Read on first use.
  std::optional<SafeTensorsIndex> index;
  /// Copies of slices that lie at an offset that their reader cannot use, by
  /// offset.
  llvm::DenseMap<uint64_t, std::unique_ptr<std::vector<std::max_align_t>>>
      alignedCopies;

  llvm::ArrayRef<char> bytes() const {
    if (!region)
      return {};
    return {region->const_data(), region->size()};
  }
};

WeightStore::WeightStore() { setBaseDirectory("."); }
WeightStore::~WeightStore() = default;

static std::string makeAbsolute(llvm::StringRef text) {
  llvm::SmallString<128> absolute(text);
  fs::make_absolute(absolute);
  path::remove_dots(absolute, /*remove_dot_dot=*/true);
  return absolute.str().str();
}

void WeightStore::setBaseDirectory(llvm::StringRef directory) {
  std::string absolute = makeAbsolute(directory.empty() ? "." : directory);
  std::lock_guard<std::mutex> lock(mutex);
  baseDirectory = std::move(absolute);
}

std::string WeightStore::getBaseDirectory() const {
  std::lock_guard<std::mutex> lock(mutex);
  return baseDirectory;
}

void WeightStore::setOutputPath(llvm::StringRef path) {
  std::string absolute = makeAbsolute(path);
  std::lock_guard<std::mutex> lock(mutex);
  outputPath = std::move(absolute);
}

llvm::Error WeightStore::useScratchOutput() {
  llvm::SmallString<128> path;
  if (std::error_code error = fs::getPotentiallyUniqueTempFileName(
          "lowbit-weights", "safetensors", path))
    return makeError("cannot name a temporary file: " + error.message());
  setOutputPath(path);
  return llvm::Error::success();
}

std::string WeightStore::getAbsolutePath(llvm::StringRef file) const {
  if (path::is_absolute(file))
    return makeAbsolute(file);
  llvm::SmallString<128> absolute(baseDirectory);
  path::append(absolute, file);
  path::remove_dots(absolute, /*remove_dot_dot=*/true);
  return absolute.str().str();
}

/// `target` as seen from the folder `from`, both absolute and without dots.
static std::string makeRelative(llvm::StringRef target, llvm::StringRef from) {
  auto targetPart = path::begin(target), targetEnd = path::end(target);
  auto fromPart = path::begin(from), fromEnd = path::end(from);
  while (targetPart != targetEnd && fromPart != fromEnd &&
         *targetPart == *fromPart) {
    ++targetPart;
    ++fromPart;
  }
  llvm::SmallString<128> relative;
  for (; fromPart != fromEnd; ++fromPart)
    path::append(relative, "..");
  for (; targetPart != targetEnd; ++targetPart)
    path::append(relative, *targetPart);
  return relative.str().str();
}

void WeightStore::protect(llvm::StringRef file) {
  std::lock_guard<std::mutex> lock(mutex);
  inUse.insert(getAbsolutePath(file));
}

std::string WeightStore::getPathFrom(llvm::StringRef file,
                                     llvm::StringRef directory) const {
  std::lock_guard<std::mutex> lock(mutex);
  return makeRelative(getAbsolutePath(file),
                      makeAbsolute(directory.empty() ? "." : directory));
}

llvm::Expected<WeightStore::MappedFile *>
WeightStore::getFile(llvm::StringRef file) {
  std::string absolute = getAbsolutePath(file);
  std::unique_ptr<MappedFile> &slot = files[absolute];
  if (slot)
    return slot.get();

  auto fail = [&](std::error_code error) {
    files.erase(absolute);
    return makeError("cannot read weight file '" + file + "' (looked for '" +
                     absolute + "'): " + error.message());
  };
  llvm::Expected<fs::file_t> handle = fs::openNativeFileForRead(absolute);
  if (!handle)
    return fail(llvm::errorToErrorCode(handle.takeError()));
  auto mapped = std::make_unique<MappedFile>();
  fs::file_status status;
  std::error_code error = fs::status(*handle, status);
  if (!error && fs::is_directory(status))
    error = std::make_error_code(std::errc::is_a_directory);
  if (!error && status.getSize() > 0)
    mapped->region = std::make_unique<fs::mapped_file_region>(
        *handle, fs::mapped_file_region::readonly, status.getSize(), 0, error);
  fs::closeFile(*handle);
  if (error)
    return fail(error);
  slot = std::move(mapped);
  return slot.get();
}

llvm::Expected<llvm::ArrayRef<char>> WeightStore::get(llvm::StringRef file,
                                                      llvm::StringRef tensor) {
  std::lock_guard<std::mutex> lock(mutex);
  if (writer && getAbsolutePath(file) == writerAbsolutePath)
    return writer->read(tensor);
  llvm::Expected<MappedFile *> mapped = getFile(file);
  if (!mapped)
    return mapped.takeError();
  if (!(*mapped)->index) {
    llvm::Expected<SafeTensorsIndex> index =
        parseSafeTensors((*mapped)->bytes(), file);
    if (!index)
      return index.takeError();
    (*mapped)->index = std::move(*index);
  }
  auto found = (*mapped)->index->find(tensor);
  if (found == (*mapped)->index->end())
    return makeError("weight file '" + file + "' holds no tensor named '" +
                     tensor + "'");
  return (*mapped)->bytes().slice(found->second.offset, found->second.length);
}

llvm::Expected<llvm::ArrayRef<char>> WeightStore::get(llvm::StringRef file,
                                                      uint64_t offset,
                                                      uint64_t length,
                                                      uint64_t alignment) {
  std::lock_guard<std::mutex> lock(mutex);
  llvm::Expected<MappedFile *> mapped = getFile(file);
  if (!mapped)
    return mapped.takeError();
  llvm::ArrayRef<char> bytes = (*mapped)->bytes();
  if (offset > bytes.size() || length > bytes.size() - offset)
    return makeError("weight file '" + file + "' is too short: it has " +
                     llvm::Twine(bytes.size()) + " bytes, but a weight takes " +
                     llvm::Twine(length) + " from byte " + llvm::Twine(offset));
  bytes = bytes.slice(offset, length);
  if (reinterpret_cast<uintptr_t>(bytes.data()) % alignment == 0)
    return bytes;
  auto &copy = (*mapped)->alignedCopies[offset];
  constexpr size_t unit = sizeof(std::max_align_t);
  size_t units = (length + unit - 1) / unit;
  if (!copy || copy->size() < units) {
    // An earlier, shorter slice at this offset must stay valid for its readers.
    if (copy)
      return makeError("weight file '" + file +
                       "': two weights of unlike lengths begin at byte " +
                       llvm::Twine(offset));
    copy = std::make_unique<std::vector<std::max_align_t>>(units);
    std::memcpy(copy->data(), bytes.data(), length);
  }
  return llvm::ArrayRef<char>(reinterpret_cast<char *>(copy->data()), length);
}

void WeightStore::release(llvm::ArrayRef<char> slice) const {
  std::lock_guard<std::mutex> lock(mutex);
  // What was copied for its alignment would be lost.
  for (const auto &file : files)
    for (const auto &[offset, copy] : file.second->alignedCopies)
      if (reinterpret_cast<const char *>(copy->data()) == slice.data())
        return;
  releasePages(slice);
}

llvm::Expected<std::string> WeightStore::write(llvm::StringRef name,
                                               llvm::StringRef dtype,
                                               llvm::ArrayRef<int64_t> shape,
                                               llvm::ArrayRef<char> bytes) {
  std::lock_guard<std::mutex> lock(mutex);
  if (!writer) {
    if (outputPath.empty())
      return makeError("there is no file to write the weight '" + name +
                       "' to: name an output file with -o");
    if (inUse.contains(outputPath))
      return makeError("cannot replace '" + outputPath +
                       "', which holds weights of the model; name the output "
                       "otherwise");
    llvm::Expected<std::unique_ptr<WeightWriter>> created =
        WeightWriter::create(outputPath);
    if (!created)
      return created.takeError();
    writer = std::move(*created);
    writerAbsolutePath = outputPath;
  }
  if (llvm::Error error = writer->write(name, dtype, shape, bytes))
    return std::move(error);
  return makeRelative(writerAbsolutePath, baseDirectory);
}

void WeightStore::keepOnly(llvm::ArrayRef<std::string> tensors) {
  std::lock_guard<std::mutex> lock(mutex);
  if (!kept)
    kept.emplace();
  kept->insert_range(tensors);
}

llvm::Error WeightStore::commitOutput() {
  std::lock_guard<std::mutex> lock(mutex);
  if (!writer)
    return llvm::Error::success();
  return writer->commit(
      [&](llvm::StringRef name) { return !kept || kept->contains(name); });
}
