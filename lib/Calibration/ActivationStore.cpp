//===- ActivationStore.cpp - values that wait to be used ------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Calibration/ActivationStore.h"
#include "lowbit/Support/OutputFile.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MathExtras.h"
#include <map>
#include <unistd.h>

using namespace lowbit;

/// A nameless file whose freed pieces are used again.
class ActivationStore::SpillFile {
public:
  static llvm::Expected<std::shared_ptr<SpillFile>> create() {
    llvm::SmallString<128> path;
    int descriptor;
    if (std::error_code error = llvm::sys::fs::createTemporaryFile(
            "lowbit-activations", "tmp", descriptor, path))
      return makeError("cannot make a temporary file for activations: " +
                       error.message());
    // It goes away with its descriptor, whatever happens to the process.
    llvm::sys::fs::remove(path);
    return std::make_shared<SpillFile>(descriptor);
  }
  explicit SpillFile(int descriptor) : descriptor(descriptor) {}
  ~SpillFile() { ::close(descriptor); }

  llvm::Expected<uint64_t> write(llvm::ArrayRef<char> bytes) {
    const uint64_t offset = allocate(bytes.size());
    for (size_t done = 0; done < bytes.size();) {
      ssize_t count = ::pwrite(descriptor, bytes.data() + done,
                               bytes.size() - done, offset + done);
      if (count < 0 && errno == EINTR)
        continue;
      if (count <= 0)
        return makeError("cannot write activations to a temporary file: " +
                         llvm::Twine(std::strerror(errno)));
      done += count;
    }
    return offset;
  }

  llvm::Error read(uint64_t offset, llvm::MutableArrayRef<char> bytes) const {
    for (size_t done = 0; done < bytes.size();) {
      ssize_t count = ::pread(descriptor, bytes.data() + done,
                              bytes.size() - done, offset + done);
      if (count < 0 && errno == EINTR)
        continue;
      if (count <= 0)
        return makeError("cannot read activations from a temporary file: " +
                         llvm::Twine(std::strerror(errno)));
      done += count;
    }
    return llvm::Error::success();
  }

  void free(uint64_t offset, uint64_t size) {
    usedBytes -= size;
    freePieces.emplace(size, offset);
  }
  uint64_t getUsedBytes() const { return usedBytes; }

private:
  /// The batches of a value are of one size, and values of later layers are
  /// like those of earlier ones, so pieces of exactly the right size are
  /// common.
  uint64_t allocate(uint64_t size) {
    usedBytes += size;
    if (auto piece = freePieces.find(size); piece != freePieces.end()) {
      const uint64_t offset = piece->second;
      freePieces.erase(piece);
      return offset;
    }
    const uint64_t offset = end;
    end += size;
    return offset;
  }

  int descriptor;
  uint64_t end = 0;
  uint64_t usedBytes = 0;
  /// By size.
  std::multimap<uint64_t, uint64_t> freePieces;
};

ActivationStore::ActivationStore(uint64_t budget) : budget(budget) {}
ActivationStore::~ActivationStore() = default;

llvm::Error ActivationStore::put(mlir::Value value, unsigned batch,
                                 const Tensor &tensor) {
  llvm::SmallVector<Entry> &batches = entries[value];
  if (batches.size() <= batch)
    batches.resize(batch + 1);
  Entry &entry = batches[batch];
  entry.type = tensor.getType();
  entry.shape.assign(tensor.getShape().begin(), tensor.getShape().end());
  const uint64_t size = tensor.getByteSize();
  if (budget == 0 || residentBytes + size <= budget) {
    entry.tensor = tensor;
    residentBytes += size;
    return llvm::Error::success();
  }
  if (!file) {
    llvm::Expected<std::shared_ptr<SpillFile>> created = SpillFile::create();
    if (!created)
      return created.takeError();
    file = std::move(*created);
  }
  llvm::Expected<uint64_t> offset =
      file->write(llvm::ArrayRef(tensor.getBytes(), size));
  if (!offset)
    return offset.takeError();
  entry.offset = *offset;
  return llvm::Error::success();
}

llvm::Expected<Tensor> ActivationStore::get(mlir::Value value,
                                            unsigned batch) const {
  auto found = entries.find(value);
  assert(found != entries.end() && batch < found->second.size() &&
         "the value was not computed, or is freed already");
  const Entry &entry = found->second[batch];
  if (!entry.offset)
    return entry.tensor;
  Tensor tensor(entry.type, entry.shape);
  if (llvm::Error error = file->read(
          *entry.offset,
          llvm::MutableArrayRef(tensor.getBytes(), tensor.getByteSize())))
    return std::move(error);
  return tensor;
}

void ActivationStore::erase(mlir::Value value) {
  auto found = entries.find(value);
  if (found == entries.end())
    return;
  for (const Entry &entry : found->second) {
    uint64_t size = getByteSize(entry.type);
    for (int64_t dim : entry.shape)
      size *= dim;
    if (entry.offset)
      file->free(*entry.offset, size);
    else
      residentBytes -= size;
  }
  entries.erase(found);
}

uint64_t ActivationStore::getSpilledBytes() const {
  return file ? file->getUsedBytes() : 0;
}
