//===- Compile.cpp - models to files --------------------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Compile/Compile.h"
#include "lowbit/Compile/CodeEmitter.h"
#include "lowbit/Compile/CompileTarget.h"
#include "lowbit/Compile/Linker.h"
#include "lowbit/Compile/ModelSource.h"
#include "lowbit/Compile/Ptx.h"
#include "lowbit/Compile/Tune.h"
#include "lowbit/Compile/WeightObject.h"
#include "lowbit/Dialect/Lowbit/IR/LowbitDialect.h"
#include "lowbit/Execution/Lowering.h"
#include "lowbit/Support/OutputFile.h"
#include "lowbit/Tools/ModuleFile.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Signals.h"

using namespace mlir;
using namespace lowbit;
namespace sys = llvm::sys;

namespace {
/// Files beside the output that go away in the end, also when a signal ends the
/// program.
class TemporaryFiles {
public:
  explicit TemporaryFiles(StringRef output) : output(output) {}
  ~TemporaryFiles() {
    for (const std::string &path : paths) {
      sys::fs::remove(path);
      sys::DontRemoveFileOnSignal(path);
    }
  }

  llvm::Expected<std::string> create() {
    llvm::SmallString<128> path;
    if (std::error_code error =
            sys::fs::createUniqueFile(output + ".%%%%%%.tmp", path))
      return makeError("cannot write '" + output + "': " + error.message());
    sys::RemoveFileOnSignal(path);
    return paths.emplace_back(path);
  }

  /// Creates a file with what `writer` writes to it.
  template <typename WriterFn>
  llvm::Expected<std::string> write(WriterFn writer) {
    llvm::Expected<std::string> path = create();
    if (!path)
      return path.takeError();
    std::error_code code;
    llvm::raw_fd_ostream os(*path, code);
    if (code)
      return makeError("cannot write '" + *path + "': " + code.message());
    if (llvm::Error error = writer(os))
      return error;
    os.close();
    if (os.has_error()) {
      code = os.error();
      os.clear_error();
      return makeError("cannot write '" + *path + "': " + code.message());
    }
    return path;
  }

private:
  std::string output;
  std::vector<std::string> paths;
};

/// A model with what it refers to.
struct Model {
  std::unique_ptr<MLIRContext> context;
  OwningOpRef<ModuleOp> module;
  /// The name of the function that is run.
  std::string entry;
  Signature signature;
};

/// The compilation of one model.
class Compiler {
public:
  /// Kernels are tuned for the level `tuned`, if there is one.
  Compiler(const CompileOptions &options, const DialectRegistry &registry,
           CompileTarget target, std::optional<size_t> tuned)
      : options(options), registry(registry), target(std::move(target)),
        tuned(tuned),
        prefix(getSymbolPrefix(options.output == "-" ? options.input
                                                     : options.output)),
        files(options.output) {}
  llvm::Error run();

private:
  llvm::Expected<Model> read() const;
  llvm::Expected<Model> prepare() const;
  llvm::Error inInput(llvm::Error error) const;
  llvm::Error checkOneLevel() const;
  llvm::Expected<OwningOpRef<ModuleOp>> lower(const Model &model, size_t level,
                                              Phase stopAfter) const;
  llvm::Expected<Code> translate(const Model &model, size_t level,
                                 WeightObject &weights) const;
  llvm::Expected<std::string> compileSource(const Clang &clang, StringRef text);
  llvm::Error emitModule(Phase stopAfter);
  llvm::Error emitPtx();
  llvm::Error emitText();
  llvm::Error emitBinary();
  llvm::Error commit(StringRef partial, const Signature &signature) const;

  const CompileOptions &options;
  const DialectRegistry &registry;
  CompileTarget target;
  std::optional<size_t> tuned;
  std::string prefix;
  TemporaryFiles files;
};
} // namespace

/// The phase after which the module is what is written.
static std::optional<Phase> getLastPhase(Emit emit) {
  switch (emit) {
  case Emit::Quantized:
    return Phase::Quantized;
  case Emit::Linalg:
    return Phase::Linalg;
  case Emit::Buffers:
    return Phase::Buffers;
  case Emit::Kernels:
    return Phase::Kernels;
  case Emit::Mlir:
    return Phase::Llvm;
  default:
    return std::nullopt;
  }
}

static llvm::Expected<OwningOpRef<ModuleOp>> readModule(StringRef path,
                                                        MLIRContext &context) {
  std::string message;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    if (message.empty()) {
      llvm::raw_string_ostream os(message);
      if (auto loc = dyn_cast<FileLineColLoc>(diagnostic.getLocation()))
        os << loc.getFilename().getValue() << ':' << loc.getLine() << ": ";
      os << diagnostic;
    }
    return success();
  });
  OwningOpRef<ModuleOp> module = loadModule(path, context);
  if (!module)
    return makeError(message);
  return module;
}

/// The error with the name of the file in which it is.
llvm::Error Compiler::inInput(llvm::Error error) const {
  return makeError("'" + options.input +
                   "': " + llvm::toString(std::move(error)));
}

llvm::Expected<Model> Compiler::read() const {
  Model model;
  DialectRegistry withStore;
  registry.appendTo(withStore);
  auto store = std::make_shared<WeightStore>();
  // Where the packed weights go: a module is written with those beside it.
  if (getLastPhase(options.emit))
    configureWeightStore(*store, options.input, options.output);
  else if (llvm::Error error = store->useScratchOutput())
    return error;
  attachWeightStore(withStore, store);
  model.context = std::make_unique<MLIRContext>(withStore);
  auto module = readModule(options.input, *model.context);
  if (!module)
    return module.takeError();
  model.module = std::move(*module);
  protectWeights(*model.module);
  return model;
}

/// Reads the model and makes it ready for all levels: the kernels of all CPUs
/// share one layout of weights.
llvm::Expected<Model> Compiler::prepare() const {
  llvm::Expected<Model> read = this->read();
  if (!read)
    return read.takeError();
  Model &model = *read;
  llvm::Expected<func::FuncOp> function = findModelFunction(*model.module);
  if (!function)
    return inInput(function.takeError());
  model.entry = function->getName().str();
  KvCache kvCache = options.kvCache.value_or(
      target.chip.empty() ? KvCache::InPlace : KvCache::AsIs);
  if (llvm::Error error =
          prepareModel(*model.module, target.levels.front(), kvCache))
    return inInput(std::move(error));
  llvm::Expected<Signature> signature = Signature::get(*function);
  if (!signature)
    return inInput(signature.takeError());
  if (llvm::Error error = checkRanks(*signature))
    return inInput(std::move(error));
  model.signature = std::move(*signature);
  if (tuned)
    if (llvm::Error error =
            tuneModel(*model.module, target.levels[*tuned], llvm::errs()))
      return inInput(std::move(error));
  return read;
}

llvm::Error Compiler::checkOneLevel() const {
  if (target.levels.size() == 1)
    return llvm::Error::success();
  return makeError("target '" + options.target +
                   "' is for several kinds of CPUs, and what --emit asks for "
                   "is for one: " +
                   (target.triple.isX86() ? "x86-64-v3" : "aarch64+dotprod") +
                   ", say");
}

llvm::Expected<OwningOpRef<ModuleOp>>
Compiler::lower(const Model &model, size_t level, Phase stopAfter) const {
  OwningOpRef<ModuleOp> module = model.module.get().clone();
  if (llvm::Error error =
          target.chip.empty()
              ? lowerModel(*module, model.entry, target.levels[level],
                           /*parallel=*/true, stopAfter, options.strategy)
              : lowerModelForGpu(*module, model.entry, target.chip, stopAfter))
    return inInput(std::move(error));
  return module;
}

llvm::Expected<Code> Compiler::translate(const Model &model, size_t level,
                                         WeightObject &weights) const {
  llvm::Expected<OwningOpRef<ModuleOp>> module =
      lower(model, level, Phase::Llvm);
  if (!module)
    return module.takeError();
  return translateCode(**module, target.levels[level], prefix,
                       getEntryName(prefix, level), weights);
}

llvm::Error Compiler::emitModule(Phase stopAfter) {
  if (llvm::Error error = checkOneLevel())
    return error;
  llvm::Expected<Model> model = prepare();
  if (!model)
    return model.takeError();
  llvm::Expected<OwningOpRef<ModuleOp>> module = lower(*model, 0, stopAfter);
  if (!module)
    return module.takeError();
  return saveModule(**module, options.output, /*bytecode=*/false);
}

llvm::Error Compiler::emitPtx() {
  llvm::Expected<OutputFile> file = OutputFile::create(options.output);
  if (!file)
    return file.takeError();
  llvm::Expected<Model> model = read();
  if (!model)
    return model.takeError();
  llvm::Expected<std::string> ptx = getPtx(*model->module, target.chip);
  if (!ptx)
    return inInput(ptx.takeError());
  file->os() << *ptx;
  return file->commit();
}

/// LLVM IR or assembly of one level, which refers to weights without having
/// them.
llvm::Error Compiler::emitText() {
  if (llvm::Error error = checkOneLevel())
    return error;
  llvm::Expected<OutputFile> file = OutputFile::create(options.output);
  if (!file)
    return file.takeError();
  llvm::Expected<Model> model = prepare();
  if (!model)
    return model.takeError();
  llvm::raw_null_ostream nowhere;
  WeightObject weights(nowhere, target.triple, prefix + "_weights");
  llvm::Expected<Code> code = translate(*model, 0, weights);
  if (!code)
    return code.takeError();
  if (options.emit == Emit::Llvm)
    code->module->print(file->os(), nullptr);
  else if (llvm::Error error =
               emitCode(*code, llvm::CodeGenFileType::AssemblyFile, file->os()))
    return error;
  return file->commit();
}

/// The path of an object made of C text.
llvm::Expected<std::string> Compiler::compileSource(const Clang &clang,
                                                    StringRef text) {
  llvm::Expected<std::string> source =
      files.write([&](llvm::raw_ostream &os) -> llvm::Error {
        os << text;
        return llvm::Error::success();
      });
  if (!source)
    return source.takeError();
  llvm::Expected<std::string> object = files.create();
  if (!object)
    return object.takeError();
  if (llvm::Error error = clang.compile(*source, *object))
    return error;
  return object;
}

/// An object or library with all levels, the weights and the runtime.
llvm::Error Compiler::emitBinary() {
  // First, because it says early that the output cannot be written.
  llvm::Expected<std::string> partial = files.create();
  if (!partial)
    return partial.takeError();
  llvm::Expected<Clang> clang = Clang::find(options.clang, target.triple);
  if (!clang)
    return clang.takeError();

  llvm::Expected<Model> model = prepare();
  if (!model)
    return model.takeError();
  std::vector<std::string> objects;
  auto writeLevels = [&](llvm::raw_pwrite_stream &weightStream) -> llvm::Error {
    WeightObject weights(weightStream, target.triple, prefix + "_weights");
    for (size_t i = 0; i < target.levels.size(); ++i) {
      llvm::Expected<Code> code = translate(*model, i, weights);
      if (!code)
        return code.takeError();
      auto object = files.write([&](llvm::raw_pwrite_stream &os) {
        return emitCode(*code, llvm::CodeGenFileType::ObjectFile, os);
      });
      if (!object)
        return object.takeError();
      objects.push_back(*object);
    }
    weights.finish();
    return llvm::Error::success();
  };
  llvm::Expected<std::string> weights = files.write(writeLevels);
  if (!weights)
    return weights.takeError();
  objects.push_back(*weights);

  bool isShared = options.emit == Emit::Shared;
  std::vector<std::string> sources;
  if (!target.chip.empty())
    sources = getGpuRuntimeSources(prefix);
  sources.push_back(getModelSource(model->signature, target, prefix, isShared));
  for (const std::string &source : sources) {
    llvm::Expected<std::string> object = compileSource(*clang, source);
    if (!object)
      return object.takeError();
    objects.push_back(*object);
  }
  if (llvm::Error error = isShared ? clang->link(objects, *partial)
                                   : clang->combine(objects, *partial))
    return error;
  return commit(*partial, model->signature);
}

llvm::Error Compiler::commit(StringRef partial,
                             const Signature &signature) const {
  llvm::SmallString<128> headerPath(options.output);
  sys::path::replace_extension(headerPath, "h");
  llvm::Expected<OutputFile> header = OutputFile::create(headerPath);
  if (!header)
    return header.takeError();
  header->os() << getHeader(signature, prefix);
  if (std::error_code error = sys::fs::rename(partial, options.output))
    return makeError("cannot write '" + options.output +
                     "': " + error.message());
  return header->commit();
}

llvm::Error Compiler::run() {
  if (std::optional<Phase> phase = getLastPhase(options.emit))
    return emitModule(*phase);
  switch (options.emit) {
  case Emit::Ptx:
    return emitPtx();
  case Emit::Llvm:
  case Emit::Assembly:
    return emitText();
  default:
    break;
  }
  if (options.output == "-")
    return makeError("a library or object cannot go to standard output, for a "
                     "header belongs to it");
  if (sys::path::extension(options.output) == ".h")
    return makeError("'" + options.output +
                     "' is where the header goes; name the library otherwise");
  if (isDevice(options.output))
    return makeError("'" + options.output +
                     "' is a device, and a library or object is a file");
  return emitBinary();
}

/// The level of the target that `--tune` measures: the last one that this
/// machine can execute.
static llvm::Expected<size_t> getTunedLevel(const CompileOptions &options,
                                            const CompileTarget &target) {
  if (!target.chip.empty())
    return makeError("--tune is for CPUs; got '" + options.target + "'");
  if (options.strategy != MatmulStrategy::Auto)
    return makeError("--tune finds a strategy for each product, --strategy=" +
                     stringifyMatmulStrategy(options.strategy) +
                     " is one for all; give just one of them");
  std::string reason;
  for (size_t level = target.levels.size(); level-- > 0;) {
    llvm::Expected<std::string> missing = target.levels[level].findMissing();
    if (!missing)
      return missing.takeError();
    if (missing->empty() && !target.levels[level].kernels.empty())
      return level;
    reason = missing->empty()
                 ? "for which there are no generated kernels; native, say, has"
                 : "which this machine cannot execute: it lacks " + *missing;
  }
  return makeError("--tune measures code for '" + options.target + "', " +
                   reason);
}

llvm::Error lowbit::compileModel(const CompileOptions &options,
                                 const DialectRegistry &registry) {
  if (sys::path::stem(options.output).empty())
    return makeError("'" + options.output + "' names no file to write");
  if (sys::fs::equivalent(options.input, options.output))
    return makeError("the output '" + options.output +
                     "' would replace the input");
  llvm::Expected<CompileTarget> target = CompileTarget::parse(options.target);
  if (!target)
    return target.takeError();
  if (target->chip.empty() && options.emit == Emit::Ptx)
    return makeError("--emit=ptx needs a GPU as target, such as sm_80; got '" +
                     options.target + "'");
  if (!target->chip.empty() && options.strategy != MatmulStrategy::Auto)
    return makeError("--strategy=" + stringifyMatmulStrategy(options.strategy) +
                     " is for CPUs; got '" + options.target + "'");
  std::optional<size_t> tuned;
  if (options.tune) {
    llvm::Expected<size_t> level = getTunedLevel(options, *target);
    if (!level)
      return level.takeError();
    tuned = *level;
  }
  return Compiler(options, registry, std::move(*target), tuned).run();
}
