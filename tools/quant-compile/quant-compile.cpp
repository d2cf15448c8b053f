//===- quant-compile.cpp - models to libraries ----------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Compile/Compile.h"
#include "lowbit/InitAllDialects.h"
#include "lowbit/Tools/OutOfMemory.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/WithColor.h"

using namespace lowbit;
namespace cl = llvm::cl;

namespace {
/// Says what is known where LLVM's parser says only what is not.
template <typename EnumT>
struct EnumParser : cl::parser<EnumT> {
  using cl::parser<EnumT>::parser;

  bool parse(cl::Option &option, llvm::StringRef name, llvm::StringRef value,
             EnumT &result) {
    if (this->findOption(value) != this->getNumOptions())
      return cl::parser<EnumT>::parse(option, name, value, result);
    std::string known;
    for (unsigned i = 0; i < this->getNumOptions(); ++i)
      known += (i ? ", " : "") + this->getOption(i).str();
    return option.error("'" + value + "' is unknown; known are " + known);
  }
};

/// The command line. LLVM's libraries register options of their own when they
/// are loaded, some of the same names; these are registered in their place.
struct Options {
  cl::OptionCategory category{"quant-compile options"};
  cl::opt<std::string> input{cl::Positional, cl::Required,
                             cl::desc("<.onnx, .mlir or .mlirbc>"),
                             cl::cat(category)};
  cl::opt<std::string> output{
      "o", cl::Required, cl::value_desc("file"),
      cl::desc("The file to write; beside a library or an object goes a C "
               "header of the same name"),
      cl::cat(category)};
  cl::opt<std::string> target{
      "target", cl::init("native"), cl::value_desc("name"),
      cl::desc("native (default); x86-64: AVX2, AVX-512 VNNI and AMX, chosen "
               "when the model runs; aarch64: dot products, I8MM and SVE, "
               "chosen likewise; x86-64-v2, x86-64-v3, x86-64-v4, and all with "
               "+feature behind them: x86-64-v4+vnni, x86-64+avx2+fma, "
               "aarch64+dotprod; or a GPU: sm_80"),
      cl::cat(category)};
  cl::opt<Emit, false, EnumParser<Emit>> emit{
      "emit", cl::init(Emit::Shared), cl::desc("What to write:"),
      cl::values(
          clEnumValN(Emit::Shared, "shared",
                     "a shared library with the weights in it (default)"),
          clEnumValN(Emit::Object, "obj", "the same as an object"),
          clEnumValN(Emit::Llvm, "llvm", "the code as LLVM IR, no weights"),
          clEnumValN(Emit::Assembly, "asm", "the code as assembly, no weights"),
          clEnumValN(Emit::Ptx, "ptx", "the kernels for a GPU"),
          clEnumValN(Emit::Mlir, "mlir",
                     "the lowered module, or after an earlier phase:"),
          clEnumValN(Emit::Quantized, "quantized",
                     "the normalized graph, its quantized weights packed"),
          clEnumValN(Emit::Linalg, "linalg", "loops as linalg on tensors"),
          clEnumValN(Emit::Buffers, "buffers", "the same on buffers"),
          clEnumValN(Emit::Kernels, "kernels",
                     "parallel loops and vectors, or kernels for a GPU")),
      cl::cat(category)};
  cl::opt<KvCache> kvCache{
      "kv-cache", cl::init(KvCache::InPlace),
      cl::desc("Past and present keys and values of a decoder:"),
      getKvCacheValues("caches that the model updates (default, but for GPUs)"),
      cl::cat(category)};
  cl::opt<std::string> clang{
      "clang", cl::value_desc("path"),
      cl::desc("The clang that links (default: the one of LLVM 22)"),
      cl::cat(category)};
  cl::opt<MatmulStrategy, false, EnumParser<MatmulStrategy>> strategy{
      "strategy", cl::init(MatmulStrategy::Auto),
      cl::desc("How a CPU multiplies quantized weights and activations:"),
      getMatmulStrategyValues(), cl::cat(category)};
  cl::opt<bool> tune{
      "tune",
      cl::desc("Measure kernels of quantized weights on this machine, on as "
               "many threads as OMP_NUM_THREADS says, and take the fastest; "
               "--emit=quantized saves what was found"),
      cl::cat(category)};
};
} // namespace

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  exitWhenOutOfMemory("quant-compile");
  cl::ResetCommandLineParser();
  Options o;
  cl::ParseCommandLineOptions(
      argc, argv,
      "Compiles a model ahead of time\n\n"
      "  quant-compile model.mlir -o model.so\n\n"
      "writes model.so and model.h, which need neither Lowbit nor LLVM.\n");
  mlir::DialectRegistry registry;
  registerAllDialects(registry);
  std::optional<KvCache> kvCache;
  if (o.kvCache.getNumOccurrences())
    kvCache = o.kvCache;
  if (llvm::Error error = compileModel({o.input, o.output, o.target, o.emit,
                                        o.clang, o.strategy, kvCache, o.tune},
                                       registry)) {
    llvm::WithColor::error(llvm::errs(), "quant-compile")
        << llvm::toString(std::move(error)) << '\n';
    return 1;
  }
  return 0;
}
