//===- WeightObject.h - weights as an object file ------------- -*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_COMPILE_WEIGHTOBJECT_H
#define LOWBIT_COMPILE_WEIGHTOBJECT_H

#include "lowbit/Support/OutputFile.h"
#include "mlir/IR/Attributes.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/TargetParser/Triple.h"
#include <map>
#include <tuple>

namespace lowbit {

/// Writes the weights of a model as one section of an ELF object. They go from
/// the mapped files straight to the output: nothing of them passes through LLVM
/// IR, whose constants take several times their size.
class WeightObject {
public:
  /// The section's first byte gets the name `symbol`, hidden outside of the
  /// library. `os` must be at its beginning and outlive the object.
  WeightObject(llvm::raw_pwrite_stream &os, const llvm::Triple &triple,
               llvm::StringRef symbol);

  llvm::StringRef getSymbol() const { return symbol; }

  /// Writes a weight, unless an equal one is there already, which is what the
  /// levels of a library have in common. Returns its offset in the section.
  llvm::Expected<uint64_t> add(mlir::Attribute value);

  /// Writes what makes an object of it.
  void finish();

private:
  llvm::raw_pwrite_stream &os;
  llvm::Triple triple;
  std::string symbol;
  uint64_t start, size = 0;
  /// Offsets by the size and a hash of 128 bits of the bytes.
  std::map<std::tuple<uint64_t, uint64_t, uint64_t>, uint64_t> offsets;
};

} // namespace lowbit

#endif // LOWBIT_COMPILE_WEIGHTOBJECT_H
