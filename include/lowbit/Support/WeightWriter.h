//===- WeightWriter.h - new weights, written once and readable at once - -*- C++
//-*--===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_SUPPORT_WEIGHTWRITER_H
#define LOWBIT_SUPPORT_WEIGHTWRITER_H

#include "lowbit/Support/SafeTensors.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/FileSystem.h"
#include <memory>
#include <string>
#include <vector>

namespace lowbit {

/// Writes a safetensors file tensor by tensor without holding any of them: the
/// data goes to `<path>.partial`, and `commit` puts the header, whose size is
/// known only then, and the data together under the final name.
class WeightWriter {
public:
  static llvm::Expected<std::unique_ptr<WeightWriter>>
  create(llvm::StringRef path);
  /// Removes the partial file.
  ~WeightWriter();

  llvm::Error write(llvm::StringRef name, llvm::StringRef dtype,
                    llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<char> bytes);
  /// A tensor that was written before; it stays mapped as long as the writer
  /// lives, committed or not.
  llvm::Expected<llvm::ArrayRef<char>> read(llvm::StringRef name);
  /// Writes the final file, with those tensors that `keep` wants.
  llvm::Error commit(llvm::function_ref<bool(llvm::StringRef name)> keep =
                         [](llvm::StringRef) { return true; });

private:
  WeightWriter(llvm::StringRef path, llvm::StringRef partial, int descriptor)
      : path(path), partial(partial), descriptor(descriptor) {}

  std::string path;
  std::string partial;
  int descriptor;
  uint64_t size = 0;
  /// In the order of writing; the map finds a name's place in it.
  std::vector<std::pair<std::string, SafeTensorsEntry>> tensors;
  llvm::StringMap<size_t> indices;
  llvm::StringMap<std::unique_ptr<llvm::sys::fs::mapped_file_region>> mapped;
};

} // namespace lowbit

#endif // LOWBIT_SUPPORT_WEIGHTWRITER_H
