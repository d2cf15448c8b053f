//===- Sensitivity.cpp - what a format does to a layer --------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Sensitivity.h"
#include "Options.h"
#include "Progress.h"
#include "lowbit/Calibration/LayerWeight.h"
#include "lowbit/Execution/Perplexity.h"
#include "lowbit/Quantize/Gptq.h"
#include "lowbit/Quantize/Hqq.h"
#include "lowbit/Quantize/OutputEnergy.h"
#include "lowbit/Support/OutputFile.h"
#include "llvm/ADT/StringExtras.h"
#include <cmath>

using namespace mlir;
using namespace lowbit;

namespace {
/// Codes weights for a trial.
class TrialSolver {
public:
  explicit TrialSolver(unsigned threads) : threads(threads) {}
  virtual ~TrialSolver() = default;

  /// What the layers to come read.
  virtual llvm::Error setInputs(const Hessian &hessian) {
    return llvm::Error::success();
  }
  /// `importance` is what `--collect-importance` found, or empty.
  virtual llvm::Expected<SolverResult> solve(const BlockFormat &format,
                                             ConstMatrixView weights,
                                             const RangeSearch &search,
                                             ArrayRef<float> importance) = 0;

protected:
  unsigned threads;
};

/// A layer's weight in one of its formats.
struct Trial {
  /// The index of the task.
  unsigned layer;
  ConstMatrixView weights, decoded;
  /// `decoded` as the graph takes it.
  Tensor tensor;
  /// Of what the layer reads.
  const Hessian &hessian;
};

/// Measures the harm.
class Measure {
public:
  virtual ~Measure() = default;
  virtual llvm::Expected<double> measure(const Trial &trial) = 0;
};

template <typename T>
struct Named {
  llvm::StringLiteral name;
  T make;
};
} // namespace

//===----------------------------------------------------------------------===//
// Solvers
//===----------------------------------------------------------------------===//

namespace {
class RtnTrial final : public TrialSolver {
public:
  using TrialSolver::TrialSolver;

  llvm::Expected<SolverResult> solve(const BlockFormat &format,
                                     ConstMatrixView weights,
                                     const RangeSearch &search,
                                     ArrayRef<float> importance) override {
    return roundToNearest(format, weights, search, threads, importance);
  }
};

class HqqTrial final : public TrialSolver {
public:
  using TrialSolver::TrialSolver;

  llvm::Expected<SolverResult> solve(const BlockFormat &format,
                                     ConstMatrixView weights,
                                     const RangeSearch &search,
                                     ArrayRef<float> importance) override {
    HqqOptions options;
    options.threads = threads;
    return hqq(format, weights, search, options);
  }
};

class GptqTrial final : public TrialSolver {
public:
  explicit GptqTrial(unsigned threads) : TrialSolver(threads) {
    options.threads = threads;
    // As the pass.
    options.refinements = 2;
  }

  llvm::Error setInputs(const Hessian &hessian) override {
    llvm::Expected<GptqFactor> computed = GptqFactor::compute(hessian, options);
    if (!computed)
      return computed.takeError();
    factor.emplace(std::move(*computed));
    return llvm::Error::success();
  }
  llvm::Expected<SolverResult> solve(const BlockFormat &format,
                                     ConstMatrixView weights,
                                     const RangeSearch &search,
                                     ArrayRef<float> importance) override {
    return gptq(format, weights, *factor, search, options);
  }

private:
  GptqOptions options;
  std::optional<GptqFactor> factor;
};
} // namespace

template <typename T>
static std::unique_ptr<TrialSolver> makeSolver(unsigned threads) {
  return std::make_unique<T>(threads);
}

static constexpr Named<std::unique_ptr<TrialSolver> (*)(unsigned threads)>
    solvers[] = {{"gptq", makeSolver<GptqTrial>},
                 {"rtn", makeSolver<RtnTrial>},
                 {"hqq", makeSolver<HqqTrial>}};

//===----------------------------------------------------------------------===//
// Measures
//===----------------------------------------------------------------------===//

/// The rounding error of the weight.
static std::vector<float> getError(const Trial &trial) {
  const int64_t rows = trial.weights.getRows(), cols = trial.weights.getCols();
  std::vector<float> error(rows * cols);
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t col = 0; col < cols; ++col)
      error[row * cols + col] =
          trial.weights(row, col) - trial.decoded(row, col);
  return error;
}

namespace {
/// ||X Dᵀ||² / ||X Wᵀ||² for the rounding error D of the weight W.
class OutputError final : public Measure {
public:
  explicit OutputError(unsigned threads) : threads(threads) {}

  llvm::Expected<double> measure(const Trial &trial) override {
    const std::vector<float> error = getError(trial);
    const double energy =
        getOutputEnergy(trial.hessian, trial.weights, threads);
    const double lost =
        getOutputEnergy(trial.hessian,
                        ConstMatrixView(error.data(), trial.weights.getRows(),
                                        trial.weights.getCols()),
                        threads);
    // Nothing is lost of nothing. Differences of large sums may end below 0.
    return energy == 0 ? 0 : std::max(lost, 0.0) / energy;
  }

private:
  unsigned threads;
};

/// The mean eigenvalue of the Hessian times ||D||².
class HessianTrace final : public Measure {
public:
  llvm::Expected<double> measure(const Trial &trial) override {
    double sum = 0;
    for (float error : getError(trial))
      sum += static_cast<double>(error) * error;
    return getMeanTrace(trial.hessian) * sum;
  }
};

/// The mean KL divergence of the model's predictions from those of the float
/// model.
class LogitDivergence final : public Measure {
public:
  static llvm::Expected<std::unique_ptr<Measure>>
  create(func::FuncOp function, ArrayRef<QuantizableLayer> layers,
         const CalibrationData &data, const SensitivityOptions &options);

  llvm::Expected<double> measure(const Trial &trial) override;

private:
  llvm::Expected<Tensor> run(size_t sample) const;
  llvm::Expected<double> compare() const;

  std::unique_ptr<CalibrationModel> model;
  std::unique_ptr<Session> session;
  /// Of the layers, as the float model has them.
  std::vector<Tensor> weights;
  /// The other inputs of the model for each sample, and the first output of the
  /// float model.
  std::vector<std::vector<Tensor>> inputs;
  std::vector<Tensor> references;
};
} // namespace

static llvm::Error checkType(const LayerWeight &weight) {
  if (weight.getElementType().isF32())
    return llvm::Error::success();
  return makeError("calibration runs in f32, but its weight is not");
}

/// The float weight of a layer, which is not copied.
static llvm::Expected<Tensor> getWeightTensor(QuantizableOpInterface op) {
  llvm::Expected<LayerWeight> weight = LayerWeight::get(op);
  if (!weight)
    return weight.takeError();
  if (llvm::Error error = checkType(*weight))
    return std::move(error);
  auto owner = std::make_shared<LayerWeight>(std::move(*weight));
  auto type = cast<ShapedType>(op.getQuantizableWeight().get().getType());
  return Tensor(ElementType::F32, type.getShape(),
                const_cast<char *>(owner->getBytes().data()), owner);
}

llvm::Expected<std::unique_ptr<Measure>> LogitDivergence::create(
    func::FuncOp function, ArrayRef<QuantizableLayer> layers,
    const CalibrationData &data, const SensitivityOptions &options) {
  auto self = std::make_unique<LogitDivergence>();
  llvm::Expected<std::unique_ptr<CalibrationModel>> model =
      CalibrationModel::create(function, layers, options.data.threads);
  if (!model)
    return model.takeError();
  self->model = std::move(*model);
  llvm::Expected<std::unique_ptr<Session>> session =
      self->model->compileModelOnWeights();
  if (!session)
    return session.takeError();
  self->session = std::move(*session);
  for (const QuantizableLayer &layer : layers) {
    llvm::Expected<Tensor> weight = getWeightTensor(layer.op);
    if (!weight)
      return makeError("cannot measure layer '" + layer.name +
                       "': " + llvm::toString(weight.takeError()));
    self->weights.push_back(std::move(*weight));
  }

  llvm::Expected<std::vector<std::vector<Tensor>>> samples =
      data.makeBatches(1);
  if (!samples)
    return samples.takeError();
  const size_t available = samples->size();
  // A model may take several samples at once.
  const size_t size = data.getNumSamples() / available;
  const size_t count =
      options.klSamples == 0
          ? available
          : std::min<size_t>(llvm::divideCeil(options.klSamples, size),
                             available);
  for (size_t i = 0; i < count; ++i) {
    self->inputs.push_back(std::move((*samples)[i * available / count]));
    llvm::Expected<Tensor> logits = self->run(i);
    if (!logits)
      return logits.takeError();
    self->references.push_back(std::move(*logits));
  }
  return self;
}

llvm::Expected<Tensor> LogitDivergence::run(size_t sample) const {
  std::vector<Tensor> all = inputs[sample];
  llvm::append_range(all, weights);
  llvm::Expected<std::vector<Tensor>> outputs = session->run(all);
  if (!outputs)
    return outputs.takeError();
  Tensor &logits = outputs->front();
  if (logits.getType() != ElementType::F32 || logits.getRank() < 2 ||
      logits.getNumElements() == 0)
    return makeError("the first output of the model is " + logits.describe() +
                     ", which are no logits to compare");
  return std::move(logits);
}

/// The mean divergence with the weights as they are now.
llvm::Expected<double> LogitDivergence::compare() const {
  double sum = 0;
  int64_t count = 0;
  for (auto [sample, reference] : llvm::enumerate(references)) {
    llvm::Expected<Tensor> logits = run(sample);
    if (!logits)
      return logits.takeError();
    const int64_t width = reference.getShape().back();
    for (int64_t i = 0, e = reference.getNumElements(); i < e; i += width)
      sum += measureKl(reference.values<float>().slice(i, width),
                       logits->values<float>().slice(i, width));
    count += reference.getNumElements() / width;
  }
  return sum / static_cast<double>(count);
}

llvm::Expected<double> LogitDivergence::measure(const Trial &trial) {
  const Tensor original = std::exchange(weights[trial.layer], trial.tensor);
  llvm::Expected<double> divergence = compare();
  weights[trial.layer] = original;
  return divergence;
}

/// What a measure can look at before the first trial.
struct MeasureContext {
  func::FuncOp function;
  ArrayRef<QuantizableLayer> layers;
  const CalibrationData &data;
  const SensitivityOptions &options;
};

static constexpr Named<llvm::Expected<std::unique_ptr<Measure>> (*)(
    const MeasureContext &)>
    measures[] = {
        {"output-error",
         [](const MeasureContext &context)
             -> llvm::Expected<std::unique_ptr<Measure>> {
           return std::make_unique<OutputError>(context.options.data.threads);
         }},
        {"hessian-trace",
         [](const MeasureContext &)
             -> llvm::Expected<std::unique_ptr<Measure>> {
           return std::make_unique<HessianTrace>();
         }},
        {"kl",
         [](const MeasureContext &context) {
           return LogitDivergence::create(context.function, context.layers,
                                          context.data, context.options);
         }},
};

//===----------------------------------------------------------------------===//
// All trials
//===----------------------------------------------------------------------===//

template <typename T, size_t N>
static const Named<T> *findNamed(const Named<T> (&entries)[N], StringRef name) {
  const auto *found = llvm::find_if(
      entries, [&](const auto &entry) { return entry.name == name; });
  return found == std::end(entries) ? nullptr : found;
}

template <typename T, size_t N>
static llvm::Error checkName(const Named<T> (&entries)[N], StringRef option,
                             StringRef name) {
  if (findNamed(entries, name))
    return llvm::Error::success();
  std::string names;
  for (const Named<T> &entry : entries)
    names += (names.empty()                     ? ""
              : &entry == std::end(entries) - 1 ? " or "
                                                : ", ") +
             entry.name.str();
  return makeError(option + " is '" + name + "', but must be " + names);
}

static llvm::Expected<std::unique_ptr<RangeSearch>>
makeSearch(const std::string &range) {
  FormatOptions options{};
  options.range = range;
  options.percentile = 99.9;
  return makeRangeSearch(options);
}

llvm::Error SensitivityOptions::check() const {
  if (llvm::Error error = checkName(measures, "sensitivity", measure))
    return error;
  if (llvm::Error error = checkName(solvers, "solver", solver))
    return error;
  if (llvm::Error error = makeSearch(range).takeError())
    return error;
  if (klSamples < 0)
    return makeError("kl-samples is " + Twine(klSamples) +
                     ", but must be positive, or 0 for all");
  return llvm::Error::success();
}

namespace {
class Trials {
public:
  Trials(ArrayRef<SensitivityTask> tasks, const RangeSearch &search,
         std::unique_ptr<TrialSolver> solver, std::unique_ptr<Measure> measure,
         unsigned threads, size_t count)
      : tasks(tasks), search(search), solver(std::move(solver)),
        measure(std::move(measure)), threads(threads), progress(count),
        errors(tasks.size()) {}

  llvm::Expected<std::vector<Tensor>> visit(const GraphWalk::Visit &visit);
  std::vector<std::vector<double>> finish() && { return std::move(errors); }

private:
  llvm::Error tryFormats(unsigned index, const Hessian &hessian);
  llvm::Expected<double> tryFormat(unsigned index, const LayerWeight &weight,
                                   QuantFormatAttrInterface format,
                                   const Hessian &hessian);

  ArrayRef<SensitivityTask> tasks;
  const RangeSearch &search;
  std::unique_ptr<TrialSolver> solver;
  std::unique_ptr<Measure> measure;
  unsigned threads;
  Progress progress;
  std::vector<std::vector<double>> errors;
};
} // namespace

llvm::Expected<double> Trials::tryFormat(unsigned index,
                                         const LayerWeight &weight,
                                         QuantFormatAttrInterface format,
                                         const Hessian &hessian) {
  QuantizableOpInterface op = tasks[index].layer.op;
  const std::shared_ptr<const BlockFormat> blocks = format.getBlockFormat();
  llvm::Expected<std::vector<float>> importance = getImportance(op);
  if (!importance)
    return importance.takeError();
  llvm::Expected<SolverResult> result =
      solver->solve(*blocks, weight.getMatrix(), search, *importance);
  if (!result)
    return result.takeError();
  llvm::Expected<Tensor> tensor = decodeWeight(op, *blocks, *result);
  if (!tensor)
    return tensor.takeError();
  const ConstMatrixView weights = weight.getMatrix();
  const ConstMatrixView decoded(tensor->data<float>(), weights.getRows(),
                                weights.getCols(), weights.getRowStride(),
                                weights.getColStride());
  llvm::Expected<double> error =
      measure->measure({index, weights, decoded, *tensor, hessian});
  if (error && !std::isfinite(*error))
    return makeError("its error is no finite number");
  return error;
}

llvm::Error Trials::tryFormats(unsigned index, const Hessian &hessian) {
  const SensitivityTask &task = tasks[index];
  llvm::Expected<LayerWeight> weight = LayerWeight::get(task.layer.op);
  if (!weight)
    return weight.takeError();
  if (llvm::Error error = checkType(*weight))
    return error;
  for (QuantFormatAttrInterface format : task.formats) {
    if (!format) {
      errors[index].push_back(0);
      continue;
    }
    const std::string name = format.getBlockFormat()->describe();
    llvm::Expected<double> error = tryFormat(index, *weight, format, hessian);
    if (!error)
      return makeError("in " + name + ": " + llvm::toString(error.takeError()));
    errors[index].push_back(*error);
    LayerSummary summary;
    summary.name = task.layer.name + " in " + name;
    summary.outputError = *error;
    progress.layerDone(summary, /*isNew=*/true);
  }
  weight->release();
  return llvm::Error::success();
}

llvm::Expected<std::vector<Tensor>>
Trials::visit(const GraphWalk::Visit &visit) {
  const QuantizableLayer &first = tasks[visit.layers.front()].layer;
  QuantizableOpInterface op = first.op;
  const auto addName = [](const QuantizableLayer &layer, llvm::Error error) {
    return makeError("cannot measure layer '" + layer.name +
                     "': " + llvm::toString(std::move(error)));
  };
  llvm::Expected<Hessian> measured =
      accumulateHessian(visit, op.getWeightMatrixShape().back(), threads);
  if (!measured)
    return addName(first, measured.takeError());
  const Hessian &hessian = *measured;
  if (!llvm::all_of(hessian.values, [](float x) { return std::isfinite(x); }))
    return addName(first,
                   makeError("its input has values that are not finite"));
  if (llvm::Error error = solver->setInputs(hessian))
    return addName(first, std::move(error));
  for (unsigned index : visit.layers)
    if (llvm::Error error = tryFormats(index, hessian))
      return addName(tasks[index].layer, std::move(error));
  // The layers that follow see what they see in the float model.
  return std::vector<Tensor>(visit.layers.size());
}

llvm::Expected<std::vector<std::vector<double>>>
lowbit::measureSensitivity(ArrayRef<SensitivityTask> tasks,
                           const SensitivityOptions &options) {
  llvm::Expected<std::unique_ptr<RangeSearch>> search =
      makeSearch(options.range);
  if (!search)
    return search.takeError();
  const SmallVector<QuantizableLayer> layers = llvm::map_to_vector(
      tasks, [](const SensitivityTask &task) { return task.layer; });
  llvm::Expected<Calibration> model =
      Calibration::prepare(layers, options.data);
  if (!model)
    return model.takeError();
  llvm::Expected<std::unique_ptr<Measure>> measure =
      findNamed(measures, options.measure)
          ->make({model->getFunction(), layers, model->getData(), options});
  if (!measure)
    return measure.takeError();
  size_t count = 0;
  for (const SensitivityTask &task : tasks)
    count += llvm::count_if(task.formats, [](auto format) { return !!format; });
  Trials trials(tasks, **search,
                findNamed(solvers, options.solver)->make(options.data.threads),
                std::move(*measure), options.data.threads, count);
  if (llvm::Error error = model->walk(
          [&](const GraphWalk::Visit &visit) { return trials.visit(visit); }))
    return std::move(error);
  return std::move(trials).finish();
}
