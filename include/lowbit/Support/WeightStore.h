//===- WeightStore.h - read access to weights that lie in files - -*- C++
//-*--===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_SUPPORT_WEIGHTSTORE_H
#define LOWBIT_SUPPORT_WEIGHTSTORE_H

#include "lowbit/Support/SafeTensors.h"
#include "lowbit/Support/WeightWriter.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace lowbit {

/// Maps the files that a module's external weights lie in, each once, and hands
/// out slices of them. A slice stays valid as long as the store lives. All
/// methods may be called from several threads.
///
/// Paths are relative to the base directory, which is the folder of the module
/// that mentions them. Weights that a pass writes go to one new safetensors
/// file, and are readable at once.
class WeightStore {
public:
  WeightStore();
  ~WeightStore();
  WeightStore(const WeightStore &) = delete;
  WeightStore &operator=(const WeightStore &) = delete;

  /// The folder that paths are relative to; the working directory by default.
  void setBaseDirectory(llvm::StringRef directory);
  std::string getBaseDirectory() const;

  /// Where `write` puts new weights: a path as the user sees it, not relative
  /// to the base directory. Takes effect until the first `write`.
  void setOutputPath(llvm::StringRef path);
  /// Makes it an error if `write` would replace `file`, relative to the base
  /// directory, of which a module still holds weights.
  void protect(llvm::StringRef file);
  /// Makes `write` put new weights into a file that goes away with the store:
  /// for programs that run a model and save none.
  llvm::Error useScratchOutput();

  /// A tensor of a safetensors file by its name.
  llvm::Expected<llvm::ArrayRef<char>> get(llvm::StringRef file,
                                           llvm::StringRef tensor);
  /// `length` bytes from `offset` of any file. `alignment` is what the reader
  /// of the elements needs; a slice that lies unaligned is copied once.
  llvm::Expected<llvm::ArrayRef<char>> get(llvm::StringRef file,
                                           uint64_t offset, uint64_t length,
                                           uint64_t alignment = 1);

  /// Tells the system that the pages of a slice are not needed for now. The
  /// slice stays valid; the next access reads the file again.
  void release(llvm::ArrayRef<char> slice) const;

  /// Appends a tensor to the output file. Returns the path, relative to the
  /// base directory, under which it can be read from now on. A name that is
  /// already taken is an error.
  llvm::Expected<std::string> write(llvm::StringRef name, llvm::StringRef dtype,
                                    llvm::ArrayRef<int64_t> shape,
                                    llvm::ArrayRef<char> bytes);

  /// Makes `commitOutput` leave out the tensors of the output file that neither
  /// this nor another call names: passes replace what passes before them wrote.
  void keepOnly(llvm::ArrayRef<std::string> tensors);
  /// Completes the output file, if anything was written. Without this call the
  /// store's destructor removes what was written.
  llvm::Error commitOutput();

  /// `path`, which is relative to the base directory, as seen from `directory`.
  std::string getPathFrom(llvm::StringRef path,
                          llvm::StringRef directory) const;

private:
  struct MappedFile;

  llvm::Expected<MappedFile *> getFile(llvm::StringRef path);
  std::string getAbsolutePath(llvm::StringRef path) const;

  mutable std::mutex mutex;
  std::string baseDirectory;
  std::string outputPath;
  /// Absolute paths of the files that must stay.
  llvm::StringSet<> inUse;
  /// The tensors that `keepOnly` named, if it was called.
  std::optional<llvm::StringSet<>> kept;
  /// Keyed by absolute path.
  llvm::StringMap<std::unique_ptr<MappedFile>> files;
  std::unique_ptr<WeightWriter> writer;
  std::string writerAbsolutePath;
};

} // namespace lowbit

#endif // LOWBIT_SUPPORT_WEIGHTSTORE_H
