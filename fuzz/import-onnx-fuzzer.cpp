//===- import-onnx-fuzzer.cpp - hostile bytes for the importer ------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// libFuzzer calls the function below with what it makes of the corpus. Whatever
// the bytes are, the importer must return a module or an error.
//
//===----------------------------------------------------------------------===//

#include "lowbit/Target/Onnx/ImportOnnx.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  // A context keeps all attributes and types that were ever made in it, but
  // making one takes longer than most imports.
  constexpr unsigned importsPerContext = 500;
  static std::unique_ptr<MLIRContext> context;
  static unsigned count = 0;
  if (count++ % importsPerContext == 0)
    context = std::make_unique<MLIRContext>(MLIRContext::Threading::DISABLED);

  llvm::ArrayRef<char> bytes(reinterpret_cast<const char *>(data), size);
  llvm::Expected<OwningOpRef<ModuleOp>> module =
      lowbit::importOnnx(bytes, "no-such-folder/model.onnx", *context);
  if (!module)
    llvm::consumeError(module.takeError());
  else
    (*module)->print(llvm::nulls());
  return 0;
}
