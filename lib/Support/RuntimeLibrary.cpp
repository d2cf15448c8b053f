//===- RuntimeLibrary.cpp - shared libraries that are opened --------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Support/RuntimeLibrary.h"
#include "lowbit/Support/OutputFile.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace lowbit;
namespace path = llvm::sys::path;

llvm::Expected<std::string> lowbit::findRuntimeLibrary(llvm::StringRef name) {
  static const char anchor = 0;
  std::string tool =
      llvm::sys::fs::getMainExecutable(nullptr, const_cast<char *>(&anchor));
  llvm::SmallString<128> beside(path::parent_path(path::parent_path(tool)));
  path::append(beside, "lib", name);
  llvm::SmallString<128> built(LOWBIT_RUNTIME_DIR);
  path::append(built, name);
  for (llvm::StringRef candidate : {beside.str(), built.str()})
    if (llvm::sys::fs::exists(candidate))
      return candidate.str();
  return makeError("cannot find '" + beside.str() + "'");
}
