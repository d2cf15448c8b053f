//===- OutputFile.h - files that appear whole or not at all -- -*- C++ -*--===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_SUPPORT_OUTPUTFILE_H
#define LOWBIT_SUPPORT_OUTPUTFILE_H

#include "llvm/Support/Error.h"
#include "llvm/Support/raw_ostream.h"
#include <memory>
#include <string>

namespace lowbit {

/// Whether `path` is there and neither a file nor a folder: /dev/null, a pipe.
bool isDevice(llvm::StringRef path);

/// A file that is written under a temporary name in the folder of its
/// destination and renamed by `commit`, so that a failure or a signal leaves no
/// half-written output. The path "-" stands for standard output; a device is
/// written to as it is.
class OutputFile {
public:
  static llvm::Expected<OutputFile> create(llvm::StringRef path);
  OutputFile(OutputFile &&other);
  OutputFile &operator=(OutputFile &&) = delete;
  /// Removes the temporary file unless it was committed.
  ~OutputFile();

  llvm::raw_pwrite_stream &os() { return *stream; }
  llvm::Error commit();

private:
  OutputFile(std::string path, std::string temporary,
             std::unique_ptr<llvm::raw_fd_ostream> stream)
      : path(std::move(path)), temporary(std::move(temporary)),
        stream(std::move(stream)) {}

  std::string path;
  /// Empty when there is nothing to rename or to remove any more.
  std::string temporary;
  std::unique_ptr<llvm::raw_fd_ostream> stream;
};

/// An error with a message and no code of its own; the usual way in which this
/// project reports what is wrong with a user's input.
llvm::Error makeError(const llvm::Twine &message);

} // namespace lowbit

#endif // LOWBIT_SUPPORT_OUTPUTFILE_H
