//===- Linker.h - calls of clang ------------------------------ -*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_COMPILE_LINKER_H
#define LOWBIT_COMPILE_LINKER_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"
#include "llvm/TargetParser/Triple.h"
#include <string>

namespace lowbit {

/// The clang that compiles and links the C side of models. It finds the C
/// library of the target.
class Clang {
public:
  /// The one at `path`, or else the one that was found at build time, or one on
  /// the PATH. None is an error that says what to install.
  static llvm::Expected<Clang> find(llvm::StringRef path,
                                    const llvm::Triple &triple);

  /// Compiles the C source in the file `source`.
  llvm::Error compile(llvm::StringRef source, llvm::StringRef object) const;
  /// Links a shared library.
  llvm::Error link(llvm::ArrayRef<std::string> objects,
                   llvm::StringRef library) const;
  /// Makes one object of several.
  llvm::Error combine(llvm::ArrayRef<std::string> objects,
                      llvm::StringRef object) const;

private:
  Clang(std::string path, const llvm::Triple &triple)
      : path(std::move(path)), triple(triple) {}
  llvm::Error run(llvm::ArrayRef<std::string> arguments,
                  llvm::StringRef input) const;

  std::string path;
  llvm::Triple triple;
};

} // namespace lowbit

#endif // LOWBIT_COMPILE_LINKER_H
