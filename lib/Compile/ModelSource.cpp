//===- ModelSource.cpp - the C side of a model ----------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Compile/ModelSource.h"
#include "RuntimeSources.h"
#include "lowbit/Runtime/model.h"
#include "lowbit/Support/OutputFile.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

using namespace lowbit;
using llvm::ArrayRef;
using llvm::raw_ostream;
using llvm::StringLiteral;
using llvm::StringRef;
using llvm::Twine;

static std::string getIdentifier(StringRef text) {
  std::string name;
  for (char c : text)
    name += llvm::isAlnum(c) ? c : '_';
  if (name.empty() || llvm::isDigit(name[0]))
    name = "_" + name;
  return name;
}

std::string lowbit::getSymbolPrefix(StringRef path) {
  return getIdentifier(llvm::sys::path::stem(path));
}

std::string lowbit::getEntryName(StringRef prefix, size_t index) {
  return (prefix + "_entry" + Twine(index)).str();
}

llvm::Error lowbit::checkRanks(const Signature &signature) {
  for (const TensorSpec &spec :
       llvm::concat<const TensorSpec>(signature.inputs, signature.outputs))
    if (spec.dims.size() > LOWBIT_MAX_RANK)
      return makeError("'" + spec.name + "' has " + Twine(spec.dims.size()) +
                       " dimensions; compiled models have at most " +
                       Twine(LOWBIT_MAX_RANK));
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// The header
//===----------------------------------------------------------------------===//

/// Names of a model may hold anything; a comment must not end early.
static std::string getComment(const TensorSpec &spec) {
  std::string text = spec.name + ": " + spec.describe();
  if (spec.isUpdated)
    text += ", updated in place";
  for (char &c : text)
    if (!llvm::isPrint(c) || c == '*' || c == '\\')
      c = '_';
  return text;
}

static void printPositions(raw_ostream &os, ArrayRef<TensorSpec> specs,
                           const Twine &prefix, const Twine &count) {
  os << "enum {\n";
  llvm::StringSet<> used;
  for (auto [index, spec] : llvm::enumerate(specs)) {
    std::string name =
        (prefix + getIdentifier(StringRef(spec.name).upper())).str();
    if (!used.insert(name).second)
      name += "_" + std::to_string(index);
    os << "  " << name << " = " << index << ", /* " << getComment(spec)
       << " */\n";
  }
  os << "  " << count << " = " << specs.size() << "\n};\n";
}

std::string lowbit::getHeader(const Signature &signature, StringRef prefix) {
  std::string text;
  llvm::raw_string_ostream os(text);
  std::string upper = prefix.upper();
  os << kModelInterface << "\n#ifndef " << upper << "_LOWBIT_MODEL\n#define "
     << upper << "_LOWBIT_MODEL\n\n#ifdef __cplusplus\nextern \"C\" {\n"
     << "#endif\n\n/* Positions in the array of inputs that " << prefix
     << "_run takes. */\n";
  printPositions(os, signature.inputs, upper + "_INPUT_",
                 upper + "_NUM_INPUTS");
  os << "\n/* Positions in the array of outputs that " << prefix
     << "_run fills in. */\n";
  printPositions(os, signature.outputs, upper + "_OUTPUT_",
                 upper + "_NUM_OUTPUTS");
  os << "\n/* The functions of lowbit_model, which says what they do. */\nint "
     << prefix << "_run(const lowbit_tensor *inputs, lowbit_tensor *outputs);\n"
     << "const char *" << prefix << "_error(void);\nvoid " << prefix
     << "_release(lowbit_tensor *output);\nvoid " << prefix
     << "_set_threads(int count);\nconst lowbit_model *" << prefix
     << "_get_model(void);\n\n#ifdef __cplusplus\n}\n#endif\n\n#endif /* "
     << upper << "_LOWBIT_MODEL */\n";
  return text;
}

//===----------------------------------------------------------------------===//
// The source
//===----------------------------------------------------------------------===//

static void printString(raw_ostream &os, StringRef text) {
  os << '"';
  for (char c : text) {
    if (llvm::isAlnum(c) || StringRef(" _-./:,+()[]").contains(c))
      os << c;
    else
      os << '\\' << char('0' + (uint8_t(c) >> 6))
         << char('0' + (uint8_t(c) >> 3 & 7)) << char('0' + (c & 7));
  }
  os << '"';
}

static void printInfos(raw_ostream &os, ArrayRef<TensorSpec> specs,
                       StringRef name) {
  // C has no empty arrays.
  os << "static const lowbit_tensor_info " << name << "["
     << std::max<size_t>(specs.size(), 1) << "] = {\n";
  for (const TensorSpec &spec : specs) {
    os << "  {";
    printString(os, spec.name);
    os << ", (lowbit_type)" << int(spec.type) << ", " << spec.dims.size()
       << ", {";
    llvm::interleaveComma(spec.dims, os,
                          [&](const TensorSpec::Dim &dim) { os << dim.size; });
    os << "}, {";
    llvm::interleaveComma(spec.dims, os, [&](const TensorSpec::Dim &dim) {
      if (dim.name.empty())
        os << "0";
      else
        printString(os, dim.name);
    });
    os << "}, " << spec.isUpdated << "},\n";
  }
  if (specs.empty())
    os << "  {0}\n";
  os << "};\n";
}

/// The system must be asked for the tiles of AMX, for they make the state of
/// threads larger. An emulator that is preloaded serves as well.
static constexpr StringLiteral kRequestTiles = R"c(
#include <sys/syscall.h>
#include <unistd.h>
extern __attribute__((weak, visibility("default"))) int
lowbit_emulates_amx(void);
static int request_tiles(void) {
  enum { request_permission = 0x1023, tile_data = 18 };
  return lowbit_emulates_amx ||
         (__builtin_cpu_supports("amx-int8") &&
          __builtin_cpu_supports("amx-bf16") &&
          !syscall(SYS_arch_prctl, request_permission, tile_data));
}
static int has_tiles(void) {
  static atomic_int answer = -1;
  if (answer < 0)
    answer = request_tiles();
  return answer;
}
)c";

/// With shorter vectors SVE gains nothing over NEON, of which processors start
/// twice as many instructions.
static constexpr StringLiteral kHasLongVectors = R"c(
#include <sys/prctl.h>
static int has_long_vectors(void) {
  return (getauxval(AT_HWCAP) & HWCAP_SVE) &&
         (prctl(PR_SVE_GET_VL) & PR_SVE_VL_LEN_MASK) >= 64;
}
)c";

static bool hasTiles(const CpuTarget &level) {
  return llvm::is_contained(level.extensions, "amx-int8");
}

/// A C expression that is true on a CPU with the extension and, if there is a
/// choice of levels, with a use for it.
static std::string getTest(const llvm::Triple &triple, StringRef extension,
                           bool isChoice) {
  if (extension == "amx-int8")
    return "has_tiles()";
  if (triple.isX86())
    return ("__builtin_cpu_supports(\"" + extension + "\")").str();
  return llvm::StringSwitch<std::string>(extension)
      .Case("dotprod", "getauxval(AT_HWCAP) & HWCAP_ASIMDDP")
      .Case("fullfp16", "getauxval(AT_HWCAP) & HWCAP_ASIMDHP")
      .Case("sve",
            isChoice ? "has_long_vectors()" : "getauxval(AT_HWCAP) & HWCAP_SVE")
      .Case("i8mm", "getauxval(AT_HWCAP2) & HWCAP2_I8MM");
}

static void printChoice(raw_ostream &os, const CompileTarget &target,
                        StringRef prefix) {
  if (!target.triple.isX86())
    os << "#include <asm/hwcap.h>\n#include <sys/auxv.h>\n";
  bool isChoice = target.levels.size() > 1;
  if (!target.triple.isX86() && isChoice)
    os << kHasLongVectors;
  if (llvm::any_of(target.levels, hasTiles))
    os << kRequestTiles;
  for (size_t i = 0; i < target.levels.size(); ++i)
    os << "void " << getEntryName(prefix, i) << "(void **);\n";
  os << "static void (*get_entry(void))(void **) {\n";
  if (target.triple.isX86())
    os << "  __builtin_cpu_init();\n";
  for (size_t i = target.levels.size(); i-- > 0;) {
    os << "  if (1";
    for (StringRef extension : target.levels[i].extensions)
      os << " && (" << getTest(target.triple, extension, isChoice) << ')';
    os << ")\n    return " << getEntryName(prefix, i) << ";\n";
  }
  os << "  return 0;\n}\n";
}

std::string lowbit::getRuntimeName(StringRef prefix, StringRef function) {
  return (prefix + "_rt_" + function).str();
}

static constexpr StringLiteral kGpuFunctions[] = {
    "lowbit_gpu_alloc",
    "lowbit_gpu_free",
    "lowbit_gpu_copy_to_device",
    "lowbit_gpu_copy_to_host",
    "lowbit_gpu_copy_on_device",
    "lowbit_gpu_constant",
    "lowbit_gpu_launch",
    "lowbit_gpu_abandon_run",
    "lowbit_gpu_release_constant",
    "lowbit_gpu_release_module",
    "lowbit_gpu_take_error",
    "lowbit_gpu_fail",
    "lowbit_gpu_failed",
    "lowbit_cuda_get",
    "lowbit_cuda_check",
};

static void renameGpuFunctions(raw_ostream &os, StringRef prefix) {
  for (StringRef name : kGpuFunctions)
    os << "#define " << name << ' ' << getRuntimeName(prefix, name) << '\n';
}

std::vector<std::string> lowbit::getGpuRuntimeSources(StringRef prefix) {
  std::vector<std::string> sources;
  for (StringRef source :
       {kGpuErrorSource, kCudaDriverSource, kCudaRuntimeSource}) {
    llvm::raw_string_ostream os(sources.emplace_back());
    os << "#define _GNU_SOURCE\n";
    renameGpuFunctions(os, prefix);
    os << kGpuInterface << kGpuErrorHeader << kCudaDriverHeader << source;
  }
  return sources;
}

std::string lowbit::getModelSource(const Signature &signature,
                                   const CompileTarget &target,
                                   StringRef prefix, bool exportsModel) {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << "#define _GNU_SOURCE\n#define LOWBIT_NAME(name) " << prefix
     << "_##name\n"
     << kModelInterface << kRuntimeHeader;
  bool isGpu = !target.chip.empty();
  if (isGpu) {
    renameGpuFunctions(os, prefix);
    os << kGpuInterface;
  }
  printInfos(os, signature.inputs, "inputs");
  printInfos(os, signature.outputs, "outputs");
  printChoice(os, target, prefix);
  os << "const tables_t LOWBIT_NAME(tables) = {\n  {LOWBIT_MODEL_VERSION, "
     << signature.inputs.size() << ", " << signature.outputs.size()
     << ", inputs, outputs,\n   LOWBIT_NAME(run), LOWBIT_NAME(error), "
        "LOWBIT_NAME(release),\n   LOWBIT_NAME(set_threads)},\n  get_entry,\n"
        "  ";
  printString(os, llvm::join(target.levels.front().extensions, ", "));
  os << (isGpu ? ",\n  lowbit_gpu_take_error, lowbit_gpu_abandon_run" : "")
     << "\n};\n";
  // A library of that name exports the function as its own.
  if (exportsModel && prefix != "lowbit")
    os << "LOWBIT_EXPORT const lowbit_model *" LOWBIT_GET_MODEL
          "(void) {\n  return LOWBIT_NAME(get_model)();\n}\n";
  os << kModelSource << kMemorySource << kThreadsSource;
  return text;
}
