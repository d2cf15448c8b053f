//===- ProcessGroup.cpp - processes that share a run ----------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Support/ProcessGroup.h"
#include "lowbit/Mpi/mpi_group.h"
#include "lowbit/Support/OutputFile.h"
#include "lowbit/Support/RuntimeLibrary.h"
#include "llvm/Support/DynamicLibrary.h"
#include "llvm/Support/MemoryBuffer.h"
#include <cstdlib>

using namespace lowbit;

ProcessGroup &ProcessGroup::get() {
  static ProcessGroup group;
  return group;
}

/// How many processes mpirun says that it has started: Open MPI's, or that of
/// MPICH and its relatives.
static int getNumStarted() {
  for (const char *name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"})
    if (const char *text = std::getenv(name))
      return std::atoi(text);
  return 1;
}

llvm::Error ProcessGroup::join() {
  const int started = getNumStarted();
  if (started <= 1)
    return llvm::Error::success();
  auto fail = [&](const llvm::Twine &reason) {
    return makeError("mpirun has started " + llvm::Twine(started) +
                     " processes, but they cannot work together: " + reason);
  };
  llvm::Expected<std::string> path = findRuntimeLibrary("liblowbit_mpi.so");
  if (!path)
    return fail(llvm::toString(path.takeError()) +
                "; it is built where CMake finds MPI");
  std::string message;
  auto library =
      llvm::sys::DynamicLibrary::getPermanentLibrary(path->c_str(), &message);
  if (!library.isValid())
    return fail(message);
  auto *join = reinterpret_cast<lowbit_mpi_join_fn *>(
      library.getAddressOfSymbol(LOWBIT_MPI_JOIN));
  const lowbit_mpi_group *joined = join ? join() : nullptr;
  if (!joined)
    return fail("MPI cannot be initialized");
  if (joined->size != started)
    return fail("MPI knows " + llvm::Twine(joined->size) +
                " of them; was mpirun of another MPI than that of '" + *path +
                "'?");
  get().group = joined;
  get().rank = joined->rank;
  get().size = joined->size;
  return llvm::Error::success();
}

void ProcessGroup::send(llvm::ArrayRef<char> bytes, unsigned to) {
  group->send(bytes.data(), bytes.size(), to);
}

void ProcessGroup::receive(llvm::MutableArrayRef<char> bytes, unsigned from) {
  group->receive(bytes.data(), bytes.size(), from);
}

void ProcessGroup::broadcast(llvm::MutableArrayRef<char> bytes, unsigned root) {
  if (size > 1)
    group->broadcast(bytes.data(), bytes.size(), root);
}

void ProcessGroup::broadcast(uint64_t &value, unsigned root) {
  broadcast({reinterpret_cast<char *>(&value), sizeof(value)}, root);
}

void ProcessGroup::broadcast(std::string &bytes, unsigned root) {
  uint64_t count = bytes.size();
  broadcast(count, root);
  bytes.resize(count);
  broadcast(llvm::MutableArrayRef(bytes.data(), count), root);
}

void ProcessGroup::broadcast(Tensor &tensor, unsigned root) {
  if (size == 1)
    return;
  uint64_t type = static_cast<uint64_t>(tensor.getType());
  uint64_t rankOfTensor = tensor.getRank();
  broadcast(type, root);
  broadcast(rankOfTensor, root);
  llvm::SmallVector<int64_t> shape(tensor.getShape());
  shape.resize(rankOfTensor);
  broadcast(
      {reinterpret_cast<char *>(shape.data()), rankOfTensor * sizeof(int64_t)},
      root);
  if (root != rank)
    tensor = Tensor(static_cast<ElementType>(type), shape);
  broadcast(llvm::MutableArrayRef(tensor.getBytes(), tensor.getByteSize()),
            root);
}

void ProcessGroup::broadcast(std::vector<Tensor> &tensors, unsigned root) {
  uint64_t count = tensors.size();
  broadcast(count, root);
  tensors.resize(count);
  for (Tensor &tensor : tensors)
    broadcast(tensor, root);
}

void ProcessGroup::broadcast(NamedTensors &tensors, unsigned root) {
  uint64_t count = tensors.size();
  broadcast(count, root);
  tensors.resize(count);
  for (auto &[name, tensor] : tensors) {
    broadcast(name, root);
    broadcast(tensor, root);
  }
}

llvm::ErrorOr<std::string> ProcessGroup::readForAll(llvm::StringRef path) {
  std::string content;
  uint64_t error = 0;
  if (isFirst()) {
    auto buffer = llvm::MemoryBuffer::getFile(path);
    error = buffer.getError().value();
    if (buffer)
      content = (*buffer)->getBuffer().str();
  }
  broadcast(error, 0);
  if (error)
    return std::error_code(error, std::generic_category());
  broadcast(content, 0);
  return content;
}

void ProcessGroup::leave(int status) {
  if (!group)
    return;
  if (status == 0)
    group->leave();
  else
    group->abandon(status);
}
