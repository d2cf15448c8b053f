//===- OutputFile.cpp - files that appear whole or not at all -------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Support/OutputFile.h"
#include "lowbit/Support/ProcessGroup.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Signals.h"

using namespace lowbit;

llvm::Error lowbit::makeError(const llvm::Twine &message) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), message);
}

bool lowbit::isDevice(llvm::StringRef path) {
  namespace fs = llvm::sys::fs;
  fs::file_status status;
  return !fs::status(path, status) && fs::is_other(status);
}

llvm::Expected<OutputFile> OutputFile::create(llvm::StringRef path) {
  // Of a group of processes only the first one writes.
  if (!ProcessGroup::get().isFirst())
    path = "/dev/null";
  std::error_code error;
  if (path == "-") {
    auto stream = std::make_unique<llvm::raw_fd_ostream>("-", error);
    return OutputFile("-", "", std::move(stream));
  }
  // Renaming would put a file in the place of a device.
  if (isDevice(path)) {
    auto stream = std::make_unique<llvm::raw_fd_ostream>(
        path, error, llvm::sys::fs::CD_OpenExisting, llvm::sys::fs::FA_Write,
        llvm::sys::fs::OF_None);
    if (error)
      return makeError("cannot write '" + path + "': " + error.message());
    return OutputFile(path.str(), "", std::move(stream));
  }
  int descriptor;
  llvm::SmallString<128> temporary;
  // The default mode of temporary files would hide the output from others.
  error = llvm::sys::fs::createUniqueFile(
      path + ".tmp-%%%%%%", descriptor, temporary, llvm::sys::fs::OF_None,
      llvm::sys::fs::all_read | llvm::sys::fs::owner_write |
          llvm::sys::fs::group_write | llvm::sys::fs::others_write);
  if (error)
    return makeError("cannot write '" + path + "': " + error.message());
  llvm::sys::RemoveFileOnSignal(temporary);
  return OutputFile(
      path.str(), temporary.str().str(),
      std::make_unique<llvm::raw_fd_ostream>(descriptor, /*shouldClose=*/true));
}

OutputFile::OutputFile(OutputFile &&other)
    : path(std::move(other.path)), temporary(std::move(other.temporary)),
      stream(std::move(other.stream)) {
  other.temporary.clear();
}

OutputFile::~OutputFile() {
  if (stream && path != "-") {
    stream->close();
    stream->clear_error();
  }
  if (temporary.empty())
    return;
  llvm::sys::fs::remove(temporary);
  llvm::sys::DontRemoveFileOnSignal(temporary);
}

llvm::Error OutputFile::commit() {
  stream->flush();
  if (path != "-")
    stream->close();
  if (std::error_code error = stream->error()) {
    stream->clear_error();
    return makeError("cannot write '" + path + "': " + error.message());
  }
  if (temporary.empty())
    return llvm::Error::success();
  if (std::error_code error = llvm::sys::fs::rename(temporary, path))
    return makeError("cannot write '" + path + "': " + error.message());
  llvm::sys::DontRemoveFileOnSignal(temporary);
  temporary.clear();
  return llvm::Error::success();
}
