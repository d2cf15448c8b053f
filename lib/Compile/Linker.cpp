//===- Linker.cpp - calls of clang ----------------------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Compile/Linker.h"
#include "lowbit/Support/OutputFile.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Program.h"

using namespace lowbit;
using llvm::ArrayRef;
using llvm::StringRef;
namespace sys = llvm::sys;

llvm::Expected<Clang> Clang::find(StringRef path, const llvm::Triple &triple) {
  if (!path.empty()) {
    if (!sys::fs::can_execute(path))
      return makeError("cannot execute '" + path + "' to link with");
    return Clang(path.str(), triple);
  }
  if (sys::fs::can_execute(LOWBIT_CLANG))
    return Clang(LOWBIT_CLANG, triple);
  for (StringRef name : {"clang-22", "clang"})
    if (auto found = sys::findProgramByName(name))
      return Clang(*found, triple);
  return makeError("clang was not found, which links models; install clang-22 "
                   "and lld-22");
}

/// What is wrong, of all that clang and the linker say.
static std::string getFirstError(StringRef log) {
  StringRef first;
  for (StringRef line : llvm::split(log, '\n')) {
    if (line.contains("error:"))
      return line.trim().str();
    if (first.empty())
      first = line.trim();
  }
  return first.str();
}

llvm::Error Clang::run(ArrayRef<std::string> arguments, StringRef input) const {
  llvm::SmallString<128> log;
  if (std::error_code error =
          sys::fs::createTemporaryFile("quant-compile", "log", log))
    return makeError("cannot create a temporary file: " + error.message());
  auto cleanup = llvm::make_scope_exit([&] { sys::fs::remove(log); });
  std::vector<std::string> all{path, "--target=" + triple.str()};
  llvm::append_range(all, arguments);
  llvm::SmallVector<StringRef> views(all.begin(), all.end());
  std::string message;
  int status = sys::ExecuteAndWait(
      path, views, /*Env=*/std::nullopt, {input, log.str(), log.str()},
      /*SecondsToWait=*/0, /*MemoryLimit=*/0, &message);
  if (status == 0)
    return llvm::Error::success();
  if (auto text = llvm::MemoryBuffer::getFile(log); text && message.empty())
    message = getFirstError((*text)->getBuffer());
  return makeError("'" + path + "' failed for " + triple.str() + ": " +
                   message);
}

llvm::Error Clang::compile(StringRef source, StringRef object) const {
  // From its input and not by its name, which would be in the symbol table.
  return run({"-x", "c", "-", "-std=gnu11", "-O2", "-fPIC",
              "-fvisibility=hidden", "-c", "-o", object.str()},
             source);
}

llvm::Error Clang::link(ArrayRef<std::string> objects,
                        StringRef library) const {
  std::vector<std::string> arguments{
      "-shared",           "-fuse-ld=lld",       "-Wl,--no-undefined",
      "-Wl,--gc-sections", "-Wl,-z,noexecstack", "-o",
      library.str()};
  llvm::append_range(arguments, objects);
  arguments.insert(arguments.end(), {"-lm", "-lpthread", "-ldl"});
  return run(arguments, "");
}

llvm::Error Clang::combine(ArrayRef<std::string> objects,
                           StringRef object) const {
  std::vector<std::string> arguments{"-r", "-nostdlib", "-fuse-ld=lld", "-o",
                                     object.str()};
  llvm::append_range(arguments, objects);
  return run(arguments, "");
}
