//===- quant-run.cpp - runs a model ---------------------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Commands.h"
#include "lowbit/Calibration/CalibrationData.h"
#include "lowbit/Dialect/Lowbit/IR/LowbitDialect.h"
#include "lowbit/Execution/Decoder.h"
#include "lowbit/Execution/Lowering.h"
#include "lowbit/Execution/Perplexity.h"
#include "lowbit/InitAllDialects.h"
#include "lowbit/Support/Npy.h"
#include "lowbit/Support/OutputFile.h"
#include "lowbit/Tools/ModuleFile.h"
#include "lowbit/Tools/OutOfMemory.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/WithColor.h"
#include <malloc.h>

using namespace lowbit;
namespace cl = llvm::cl;
using llvm::StringRef;
using llvm::Twine;

namespace {
/// The command line. LLVM's libraries register options of their own when they
/// are loaded, some of the same names; these are registered in their place.
struct Options {
  cl::OptionCategory category{"quant-run options"};
  cl::opt<std::string> model{cl::Positional, cl::Required,
                             cl::desc("<.onnx, .mlir, .mlirbc or .so>"),
                             cl::cat(category)};
  cl::opt<std::string> inputs{
      "inputs",
      cl::desc("Run on the arrays of an .npz file; --compare takes samples of "
               "the main input, too, such as token windows, in a .npy file"),
      cl::value_desc("a.npz"), cl::cat(category)};
  cl::opt<std::string> outputs{"outputs",
                               cl::desc("Write the results to an .npz file"),
                               cl::value_desc("b.npz"), cl::cat(category)};
  cl::opt<std::string> perplexity{
      "perplexity",
      cl::desc("Print the perplexity on tokens: integers [windows, length], or "
               "a flat array with --context"),
      cl::value_desc("tokens.npy"), cl::cat(category)};
  cl::opt<int64_t> context{
      "context", cl::desc("Length of the windows of a flat token file"),
      cl::init(0), cl::cat(category)};
  cl::opt<int64_t> batch{
      "batch",
      cl::desc("How many windows a run of --perplexity reads: what models make "
               "of one may depend on the others, if activations share a scale "
               "(default: as many as keep all cores busy)"),
      cl::value_desc("count"), cl::init(0), cl::cat(category)};
  cl::opt<int64_t> generate{
      "generate",
      cl::desc("Print so many tokens, the most likely ones, behind --prompt"),
      cl::value_desc("count"), cl::init(0), cl::cat(category)};
  cl::opt<std::string> prompt{"prompt",
                              cl::desc("What to continue: integers [length]"),
                              cl::value_desc("tokens.npy"), cl::cat(category)};
  cl::opt<bool> bench{"bench", cl::desc("Print how long a run takes"),
                      cl::cat(category)};
  cl::list<int64_t> tokens{
      "tokens", cl::CommaSeparated,
      cl::desc("Numbers of tokens for --bench and --compare (default 1)"),
      cl::value_desc("1,512"), cl::cat(category)};
  cl::opt<int64_t> past{
      "past", cl::desc("Number of tokens that a decoder has seen, for --bench"),
      cl::init(0), cl::cat(category)};
  cl::opt<std::string> compare{
      "compare",
      cl::desc("Print how far another model's layers, their weights and the "
               "outputs are from this one's (of libraries, the outputs); with "
               "--perplexity, how far its predictions are"),
      cl::value_desc("other"), cl::cat(category)};
  cl::opt<ComparisonOptions::Order> sort{
      "sort", cl::desc("In which order --compare lists layers:"),
      cl::values(clEnumValN(ComparisonOptions::Order::Error, "error",
                            "the worst first (default)"),
                 clEnumValN(ComparisonOptions::Order::Execution, "execution",
                            "as they run")),
      cl::init(ComparisonOptions::Order::Error), cl::cat(category)};
  cl::opt<unsigned> limit{
      "limit", cl::desc("How many layers --compare lists (default: all)"),
      cl::value_desc("count"), cl::init(0), cl::cat(category)};
  cl::opt<unsigned> histogram{
      "histogram",
      cl::desc("With --compare and --json: histograms of the weights and "
               "outputs of each layer, with so many bins"),
      cl::value_desc("bins"), cl::init(0), cl::cat(category)};
  cl::opt<KvCache> kvCache{
      "kv-cache",
      cl::desc("Past and present keys and values of a decoder that is compiled "
               "for the run:"),
      getKvCacheValues("caches that a run updates (default, but for --inputs, "
                       "--compare and --gpu)"),
      cl::cat(category)};
  cl::opt<bool> json{"json", cl::desc("Print figures as JSON"),
                     cl::cat(category)};
  cl::opt<unsigned> threads{"threads",
                            cl::desc("Number of threads (default: all cores)"),
                            cl::init(0), cl::cat(category)};
  cl::opt<std::string> cpu{
      "cpu", cl::desc("Compile for: native, avx2, avx512, amx or LLVM's name"),
      cl::init("native"), cl::cat(category)};
  cl::opt<std::string> gpu{
      "gpu",
      cl::desc("Run the kernels on a GPU: sm_80, sm_90, ..., or emulate (slow, "
               "to test without one); what --compare names runs on the CPU"),
      cl::value_desc("name"), cl::cat(category)};
  cl::opt<std::string> features{"features",
                                cl::desc("Processor features to add or remove"),
                                cl::value_desc("+x,-y"), cl::cat(category)};
};
} // namespace

namespace {
/// A session with what it refers to.
struct Model {
  std::unique_ptr<mlir::MLIRContext> context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  std::unique_ptr<Session> session;
};
} // namespace

static llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>>
parseModule(StringRef path, mlir::MLIRContext &context) {
  std::string message;
  mlir::ScopedDiagnosticHandler handler(
      &context, [&](mlir::Diagnostic &diagnostic) {
        if (message.empty()) {
          llvm::raw_string_ostream os(message);
          if (auto loc = mlir::dyn_cast<mlir::FileLineColLoc>(
                  diagnostic.getLocation()))
            os << loc.getFilename().getValue() << ':' << loc.getLine() << ": ";
          os << diagnostic;
        }
        return mlir::success();
      });
  mlir::OwningOpRef<mlir::ModuleOp> module = loadModule(path, context);
  if (!module)
    return makeError(message);
  return module;
}

/// A model that is not compiled yet.
static llvm::Expected<Model> readModel(StringRef path, const Options &o,
                                       StringRef gpu = "") {
  Model result;
  if (llvm::sys::path::extension(path) == ".so") {
    if (!gpu.empty())
      return makeError("--gpu compiles a model, and '" + path +
                       "' has been compiled");
    auto session = Session::open(path);
    if (!session)
      return session.takeError();
    result.session = std::move(*session);
    if (llvm::Error error = result.session->setThreads(o.threads))
      return std::move(error);
    return result;
  }
  mlir::DialectRegistry registry;
  lowbit::registerAllDialects(registry);
  auto store = std::make_shared<WeightStore>();
  // Where the packed weights go.
  if (llvm::Error error = store->useScratchOutput())
    return std::move(error);
  attachWeightStore(registry, store);
  result.context = std::make_unique<mlir::MLIRContext>(registry);
  auto module = parseModule(path, *result.context);
  if (!module)
    return module.takeError();
  result.module = std::move(*module);
  return result;
}

/// Compiles a model that has been read, unless it is a library.
static llvm::Error compileModel(Model &model, StringRef path, const Options &o,
                                StringRef gpu) {
  if (model.session)
    return llvm::Error::success();
  llvm::Expected<CpuTarget> target = CpuTarget::get(o.cpu, o.features);
  if (!target)
    return target.takeError();
  JitOptions jit{*target};
  jit.gpu = gpu.str();
  const bool comparesLayers = !o.compare.empty() && o.perplexity.empty();
  if (o.kvCache.getNumOccurrences())
    jit.kvCache = o.kvCache;
  else if (o.inputs.empty() && !comparesLayers && gpu.empty())
    jit.kvCache = KvCache::InPlace;
  auto engine = JitEngine::create(jit);
  if (!engine)
    return engine.takeError();
  auto session = Session::compile(*model.module, *engine);
  if (!session)
    return makeError("'" + path + "': " + llvm::toString(session.takeError()));
  model.session = std::move(*session);
  return model.session->setThreads(o.threads);
}

static llvm::Expected<Model> loadModel(StringRef path, const Options &o,
                                       StringRef gpu = "") {
  llvm::Expected<Model> model = readModel(path, o, gpu);
  if (!model)
    return model.takeError();
  if (llvm::Error error = compileModel(*model, path, o, gpu))
    return std::move(error);
  return model;
}

static std::vector<int64_t> getTokens(const Options &o) {
  if (o.tokens.empty())
    return {1};
  return {o.tokens.begin(), o.tokens.end()};
}

static llvm::Error runInputs(const Session &session, const Options &o) {
  llvm::Expected<NamedTensors> inputs = readNpz(o.inputs);
  if (!inputs)
    return inputs.takeError();
  llvm::Expected<NamedTensors> outputs = session.run(*inputs);
  if (!outputs)
    return outputs.takeError();
  // What the run has updated is a result of it, too.
  for (const auto &[name, tensor] : *inputs)
    if (session.getSignature().findInput(name)->isUpdated)
      outputs->emplace_back(name, tensor);
  if (!o.outputs.empty())
    return writeNpz(o.outputs, *outputs);
  for (const auto &[name, tensor] : *outputs)
    llvm::outs() << name << ": " << tensor.describe() << '\n';
  return llvm::Error::success();
}

/// The windows that a run of --perplexity reads, if the user said it.
static llvm::Expected<std::optional<int64_t>> getBatch(const Options &o) {
  if (!o.batch.getNumOccurrences())
    return std::optional<int64_t>();
  if (o.batch < 1)
    return makeError("--batch is " + Twine(o.batch) +
                     ", but must be at least 1");
  return std::optional<int64_t>(o.batch);
}

static llvm::Error runPerplexity(const Session &session, const Options &o) {
  auto windows = TokenWindows::read(o.perplexity, o.context);
  if (!windows)
    return windows.takeError();
  auto batch = getBatch(o);
  if (!batch)
    return batch.takeError();
  auto perplexity = measurePerplexity(session, *windows, o.perplexity, *batch);
  if (!perplexity)
    return perplexity.takeError();
  if (o.json)
    llvm::outs() << llvm::json::Value(
                        llvm::json::Object{{"perplexity", perplexity->value},
                                           {"windows", perplexity->windows},
                                           {"targets", perplexity->targets}})
                 << '\n';
  else
    llvm::outs() << llvm::format("perplexity: %.4f\n", perplexity->value);
  return llvm::Error::success();
}

static llvm::Error runDivergence(const Session &session, const Options &o) {
  auto windows = TokenWindows::read(o.perplexity, o.context);
  if (!windows)
    return windows.takeError();
  auto batch = getBatch(o);
  if (!batch)
    return batch.takeError();
  llvm::Expected<Model> other = loadModel(o.compare, o);
  if (!other)
    return other.takeError();
  auto divergence = measureDivergence(session, *other->session, *windows,
                                      o.perplexity, *batch);
  if (!divergence)
    return divergence.takeError();
  if (o.json)
    llvm::outs() << llvm::json::Value(llvm::json::Object{
                        {"perplexity", divergence->reference.value},
                        {"other_perplexity", divergence->other.value},
                        {"kl_mean", divergence->meanKl},
                        {"kl_p99", divergence->percentile99Kl},
                        {"kl_max", divergence->maxKl},
                        {"top1_agreement", divergence->topAgreement},
                        {"windows", divergence->reference.windows},
                        {"targets", divergence->reference.targets}})
                 << '\n';
  else
    llvm::outs() << llvm::format("perplexity: %.4f, of the other %.4f\n",
                                 divergence->reference.value,
                                 divergence->other.value)
                 << llvm::format("KL divergence: mean %.6f, 99 %% below %.6f, "
                                 "max %.6f\n",
                                 divergence->meanKl, divergence->percentile99Kl,
                                 divergence->maxKl)
                 << llvm::format("same most likely token: %.2f %%\n",
                                 100 * divergence->topAgreement);
  return llvm::Error::success();
}

static llvm::Error runGenerate(const Session &session, const Options &o) {
  auto prompt = TokenWindows::readFlat(o.prompt);
  if (!prompt)
    return prompt.takeError();
  auto tokens = generate(session, *prompt, o.generate);
  if (!tokens)
    return tokens.takeError();
  if (o.json)
    llvm::outs() << llvm::json::Value(llvm::json::Array(*tokens)) << '\n';
  else
    llvm::outs() << llvm::join(llvm::map_range(*tokens,
                                               [](int64_t token) {
                                                 return std::to_string(token);
                                               }),
                               " ")
                 << '\n';
  return llvm::Error::success();
}

using Batches = std::vector<std::vector<Tensor>>;

/// How many numbers of the main input two models read at once.
static constexpr int64_t inputsPerRun = 1 << 14;

/// Samples of the main input, in batches that fit the model.
static llvm::Expected<Batches> readSamples(const Model &model, StringRef path) {
  if (!model.module)
    return makeError("samples in a .npy file are for models that show their "
                     "main input; give a library all of its inputs as .npz");
  llvm::Expected<mlir::func::FuncOp> function =
      findModelFunction(*model.module);
  if (!function)
    return function.takeError();
  llvm::Expected<Tensor> samples = readNpy(path);
  if (!samples)
    return samples.takeError();
  auto data = CalibrationData::get({{"", std::move(*samples)}}, *function,
                                   ("'" + path + "'").str());
  if (!data)
    return data.takeError();
  return data->makeBatches(inputsPerRun * data->getNumSamples() /
                           data->getSamples().getNumElements());
}

/// All inputs, as they are given or made up.
static llvm::Expected<Batches> makeInputs(const Signature &signature,
                                          const Options &o) {
  if (o.inputs.empty()) {
    auto inputs = makeSyntheticInputs(signature, getTokens(o).front());
    if (!inputs)
      return inputs.takeError();
    return Batches{std::move(*inputs)};
  }
  llvm::Expected<NamedTensors> named = readNpz(o.inputs);
  if (!named)
    return named.takeError();
  auto inputs = signature.orderInputs(*named);
  if (!inputs)
    return inputs.takeError();
  return Batches{std::move(*inputs)};
}

static llvm::Error runCompare(const Options &o) {
  llvm::Expected<Model> model = readModel(o.model, o, o.gpu);
  if (!model)
    return model.takeError();
  llvm::Expected<Model> other = readModel(o.compare, o);
  if (!other)
    return other.takeError();
  Comparison comparison({o.json, o.sort, o.limit, o.histogram});
  if (llvm::Error error =
          comparison.prepare(model->module ? *model->module : mlir::ModuleOp(),
                             other->module ? *other->module : mlir::ModuleOp()))
    return error;
  Batches batches;
  auto fill = [&batches](llvm::Expected<Batches> made) -> llvm::Error {
    if (!made)
      return made.takeError();
    batches = std::move(*made);
    return llvm::Error::success();
  };
  // Before compiling takes away the function, which says what the inputs are.
  const bool takesSamples = StringRef(o.inputs).ends_with(".npy");
  if (takesSamples)
    if (llvm::Error error = fill(readSamples(*model, o.inputs)))
      return error;
  if (llvm::Error error = compileModel(*model, o.model, o, o.gpu))
    return error;
  if (llvm::Error error = compileModel(*other, o.compare, o, ""))
    return error;
  if (!takesSamples)
    if (llvm::Error error = fill(makeInputs(model->session->getSignature(), o)))
      return error;
  if (llvm::Error error =
          comparison.run(*model->session, *other->session, batches))
    return error;
  comparison.print(llvm::outs());
  return llvm::Error::success();
}

static llvm::Error run(const Options &o) {
  if (o.inputs.empty() && o.perplexity.empty() && !o.bench &&
      o.compare.empty() && o.generate == 0)
    return makeError("nothing to do: give --inputs, --perplexity, --generate, "
                     "--bench or --compare");
  if (o.past < 0)
    return makeError("--past must not be negative, got " + Twine(o.past));
  if (o.generate < 0)
    return makeError("--generate must be positive, got " + Twine(o.generate));
  if ((o.generate > 0) != !o.prompt.empty())
    return makeError("--generate and --prompt need each other");
  if (!o.compare.empty() && !o.perplexity.empty() && !o.inputs.empty())
    return makeError("--compare takes --inputs or --perplexity, not both");
  if (!o.outputs.empty() && (o.inputs.empty() || !o.compare.empty()))
    return makeError("--outputs needs --inputs, and no --compare");
  if (o.compare.empty() || !o.perplexity.empty())
    for (const cl::Option *option :
         {static_cast<const cl::Option *>(&o.sort),
          static_cast<const cl::Option *>(&o.limit),
          static_cast<const cl::Option *>(&o.histogram)})
      if (option->getNumOccurrences())
        return makeError("--" + option->ArgStr +
                         " is for --compare without --perplexity");
  if (o.perplexity.empty())
    for (const cl::Option *option :
         {static_cast<const cl::Option *>(&o.context),
          static_cast<const cl::Option *>(&o.batch)})
      if (option->getNumOccurrences())
        return makeError("--" + option->ArgStr + " is for --perplexity");
  if (o.histogram && !o.json)
    return makeError("--histogram needs --json");
  for (int64_t count : o.tokens)
    if (count < 1)
      return makeError("--tokens must be positive, got " + Twine(count));
  if (!o.compare.empty() && o.perplexity.empty())
    return runCompare(o);
  llvm::Expected<Model> loaded = loadModel(o.model, o, o.gpu);
  if (!loaded)
    return loaded.takeError();
  const Session &session = *loaded->session;
  if (!o.compare.empty())
    return runDivergence(session, o);
  if (!o.inputs.empty())
    if (llvm::Error error = runInputs(session, o))
      return error;
  if (!o.perplexity.empty())
    if (llvm::Error error = runPerplexity(session, o))
      return error;
  if (o.generate)
    if (llvm::Error error = runGenerate(session, o))
      return error;
  if (o.bench)
    return runBenchmark(session, getTokens(o), o.past, o.json);
  return llvm::Error::success();
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  exitWhenOutOfMemory("quant-run");
  cl::ResetCommandLineParser();
  Options options;
  cl::ParseCommandLineOptions(argc, argv, "Runs a model\n");
  // Intermediate results come and go with each run: keep their memory instead
  // of having the system clear it anew.
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, -1);
  if (llvm::Error error = run(options)) {
    llvm::WithColor::error(llvm::errs(), "quant-run")
        << llvm::toString(std::move(error)) << '\n';
    return 1;
  }
  return 0;
}
