//===- AssignFormats.cpp - decides what each layer is stored in -----------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FormatNames.h"
#include "FormatRules.h"
#include "FormatSearch.h"
#include "LayerPass.h"
#include "lowbit/Calibration/LayerWeight.h"
#include "lowbit/Calibration/Passes.h"
#include "lowbit/Quantize/LayerSummary.h"
#include "lowbit/Support/OutputFile.h"
#include "lowbit/Support/ProcessGroup.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>

namespace lowbit {
#define GEN_PASS_DEF_ASSIGNFORMATS
#include "lowbit/Calibration/Passes.h.inc"
} // namespace lowbit

using namespace mlir;
using namespace lowbit;

namespace {
/// A layer, what is known of it, and what was decided.
struct Assignment {
  QuantizableLayer layer;
  LayerRole role;
  SmallVector<int64_t, 2> shape;
  /// Which rule decided; empty if none did.
  std::string reason;
  /// Null for a layer that stays as it is.
  QuantFormatAttrInterface format;

  double getBitsPerWeight() {
    if (format)
      return format.getBitsPerWeight(shape);
    return cast<ShapedType>(layer.op.getQuantizableWeight().get().getType())
        .getElementTypeBitWidth();
  }
  std::string describe() {
    return format ? format.getBlockFormat()->describe()
                  : LowbitDialect::keepFloat.str();
  }
};

/// Applies a recipe to the layers of a module.
class Assigner {
public:
  Assigner(ModuleOp module, FormatRecipe recipe)
      : module(module), recipe(std::move(recipe)) {}

  llvm::Error decide(MutableArrayRef<Assignment> assignments);
  unsigned getNumFallbacks() const { return numFallbacks; }

  struct Fit {
    /// Null for a layer that stays as it is.
    QuantFormatAttrInterface format;
    bool isFallback;
  };
  /// What stores a matrix of this shape for which `choice` was made: that, or
  /// the first fallback that can.
  llvm::Expected<Fit> fit(const FormatChoice &choice,
                          ArrayRef<int64_t> shape) const;

private:
  llvm::Error applyRules(MutableArrayRef<Assignment> assignments);
  llvm::Error applyMixture(MutableArrayRef<Assignment> function);
  llvm::Error choose(Assignment &assignment, const FormatChoice &choice,
                     StringRef reason);
  NamedFormat getFallback(const std::optional<FormatChoice> &fallback,
                          const FormatChoice &choice,
                          ArrayRef<int64_t> shape) const;

  ModuleOp module;
  FormatRecipe recipe;
  unsigned numFallbacks = 0;
};

struct AssignFormatsPass final
    : LayerPass<lowbit::impl::AssignFormatsBase<AssignFormatsPass>> {
  using LayerPass::LayerPass;

  llvm::Error runOnLayers() override;

private:
  llvm::Expected<FormatRecipe> readOptions();
  llvm::Error checkSearchOptions(const FormatRecipe &plan) const;
  llvm::Expected<std::unique_ptr<LayerCost>>
  makeCost(ArrayRef<Assignment> assignments);
  llvm::Expected<SearchedLayer> listCandidates(const Assignment &assignment,
                                               const Assigner &assigner,
                                               LayerCost &cost);
  llvm::Error searchLayers(MutableArrayRef<Assignment> assignments,
                           const Assigner &assigner);
  void reportUnfit();
  llvm::Error writeReport(MutableArrayRef<Assignment> assignments) const;

  /// Of the search.
  std::vector<FormatChoice> choices;
  FormatSearchOptions searchOptions;
  std::vector<SearchedLayer> searched;
  /// For each candidate, the layers that cannot take it, and why the first one
  /// cannot.
  struct Unfit {
    unsigned count = 0;
    std::string reason;
  };
  std::vector<Unfit> unfit;
};
} // namespace

//===----------------------------------------------------------------------===//
// One layer
//===----------------------------------------------------------------------===//

/// The format that a fallback stands for; null if that has nothing to say.
NamedFormat Assigner::getFallback(const std::optional<FormatChoice> &fallback,
                                  const FormatChoice &choice,
                                  ArrayRef<int64_t> shape) const {
  if (fallback)
    return fallback->format;
  auto ggml = dyn_cast<GgmlAttr>(choice.format.format);
  if (!ggml)
    return {};
  MLIRContext *context = ggml.getContext();
  if (std::optional<GgmlType> type =
          findGgmlFallback(ggml.getType(), shape.back()))
    return NamedFormat(GgmlAttr::get(context, *type));
  return NamedFormat(FloatFormatAttr::get(context, Float16Type::get(context),
                                          /*transposed=*/false));
}

llvm::Expected<Assigner::Fit> Assigner::fit(const FormatChoice &choice,
                                            ArrayRef<int64_t> shape) const {
  if (!choice.format)
    return Fit{nullptr, /*isFallback=*/false};
  llvm::Expected<QuantFormatAttrInterface> format =
      fitFormat(choice.format, shape);
  if (format)
    return Fit{*format, /*isFallback=*/false};
  const std::string unfit = llvm::toString(format.takeError());
  for (const std::optional<FormatChoice> &fallback : recipe.fallbacks) {
    const bool keepsFloat = fallback && !fallback->format;
    if (keepsFloat)
      return Fit{nullptr, /*isFallback=*/true};
    NamedFormat next = getFallback(fallback, choice, shape);
    if (!next)
      continue;
    llvm::Expected<QuantFormatAttrInterface> fitting = fitFormat(next, shape);
    if (fitting)
      return Fit{*fitting, /*isFallback=*/true};
    llvm::consumeError(fitting.takeError());
  }
  return makeError(unfit + (recipe.fallbacks.empty() ? "; no fallback is given"
                                                     : "; no fallback does"));
}

/// Records a choice, or the first fallback that can store the layer.
llvm::Error Assigner::choose(Assignment &assignment, const FormatChoice &choice,
                             StringRef reason) {
  llvm::Expected<Fit> fitting = fit(choice, assignment.shape);
  if (!fitting)
    return makeError("cannot assign " + choice.text + " to layer '" +
                     assignment.layer.name + "' (" + reason +
                     "): " + llvm::toString(fitting.takeError()));
  assignment.format = fitting->format;
  assignment.reason = reason.str();
  if (fitting->isFallback) {
    assignment.reason += ", not " + choice.text;
    ++numFallbacks;
  }
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// All layers
//===----------------------------------------------------------------------===//

llvm::Error Assigner::applyRules(MutableArrayRef<Assignment> assignments) {
  std::vector<bool> decides(recipe.rules.size()), matches(decides);
  for (Assignment &assignment : assignments) {
    const FormatRule *first = nullptr;
    for (auto [index, rule] : llvm::enumerate(recipe.rules)) {
      if (!rule.matches(assignment.layer.name, assignment.role))
        continue;
      matches[index] = true;
      if (first)
        continue;
      first = &rule;
      decides[index] = true;
    }
    if (first)
      if (llvm::Error error = choose(assignment, first->choice, first->place))
        return error;
  }
  // A recipe may be for many models, so this is no error.
  for (auto [index, rule] : llvm::enumerate(recipe.rules))
    if (!decides[index])
      emitWarning(module.getLoc())
          << rule.place << ": '" << rule.pattern << "' "
          << (matches[index] ? "matches only layers that earlier rules took"
                             : "matches no layer");
  return llvm::Error::success();
}

/// Whether two layers have the same weight.
static llvm::Expected<bool> haveEqualWeights(QuantizableOpInterface a,
                                             QuantizableOpInterface b) {
  if (a.getWeightMatrixShape() != b.getWeightMatrixShape())
    return false;
  llvm::Expected<LayerWeight> first = LayerWeight::get(a);
  if (!first)
    return first.takeError();
  llvm::Expected<LayerWeight> second = LayerWeight::get(b);
  if (!second)
    return second.takeError();
  ConstMatrixView x = first->getMatrix(), y = second->getMatrix();
  for (int64_t row = 0; row < x.getRows(); ++row)
    for (int64_t col = 0; col < x.getCols(); ++col)
      if (x(row, col) != y(row, col))
        return false;
  return true;
}

static llvm::Expected<GgmlMixtureModel>
describeModel(MutableArrayRef<Assignment> function) {
  GgmlMixtureModel model{/*headsPerGroup=*/1, /*hasTiedEmbeddings=*/false,
                         /*hasImportance=*/false};
  const auto find = [&](auto condition) -> const Assignment * {
    auto found = llvm::find_if(function, condition);
    return found == function.end() ? nullptr : &*found;
  };
  const auto findRole = [&](LayerRole role) {
    return find([&](const Assignment &a) { return a.role == role; });
  };
  model.hasImportance = find([](const Assignment &a) {
    QuantizableOpInterface op = a.layer.op;
    return op->hasAttr(LowbitDialect::importanceAttrName);
  });
  // The output layer reads all query heads; what it reads is as wide as they
  // are together.
  const Assignment *output = findRole(LayerRole::AttentionOutput);
  const Assignment *value =
      find([](const Assignment &a) { return isCountedAsValue(a.role); });
  if (output && value) {
    const int64_t queries = output->shape.back();
    int64_t values = value->shape.front();
    if (value->role == LayerRole::AttentionFused)
      values = (values - queries) / 2;
    if (values > 0)
      model.headsPerGroup = std::max<int64_t>(queries / values, 1);
  }
  const Assignment *embedding = findRole(LayerRole::TokenEmbedding);
  const Assignment *head = findRole(LayerRole::Head);
  if (embedding && head) {
    llvm::Expected<bool> tied =
        haveEqualWeights(embedding->layer.op, head->layer.op);
    if (!tied)
      return tied.takeError();
    model.hasTiedEmbeddings = *tied;
  }
  return model;
}

llvm::Error Assigner::applyMixture(MutableArrayRef<Assignment> function) {
  llvm::Expected<GgmlMixtureModel> model = describeModel(function);
  if (!model)
    return model.takeError();
  const std::string reason =
      ("mixture " + getGgmlMixtureNames()[static_cast<size_t>(*recipe.mixture)])
          .str();
  // Rules of depth count layers of two kinds, whichever rule decides on them.
  int64_t numValues = 0, numDowns = 0;
  for (const Assignment &assignment : function) {
    numValues += isCountedAsValue(assignment.role);
    numDowns += assignment.role == LayerRole::FfnDown;
  }
  if (numValues == 0 || numDowns == 0)
    emitWarning(module.getLoc())
        << "no " << (numValues == 0 ? "attention" : "feed-forward block")
        << " is recognized: " << reason << " has no rule for most layers";
  int64_t value = 0, down = 0;
  for (Assignment &assignment : function) {
    const bool isValue = isCountedAsValue(assignment.role);
    const bool isDown = assignment.role == LayerRole::FfnDown;
    const GgmlMixtureLayer layer{assignment.role, isValue ? value : down,
                                 isValue ? numValues : numDowns,
                                 assignment.shape.back()};
    value += isValue;
    down += isDown;
    if (!assignment.reason.empty())
      continue;
    FormatChoice choice{LowbitDialect::keepFloat.str(), {}};
    if (std::optional<GgmlType> type =
            chooseGgmlType(*recipe.mixture, *model, layer))
      choice = {getGgmlLayout(*type).name.str(),
                NamedFormat(GgmlAttr::get(module.getContext(), *type))};
    if (llvm::Error error = choose(assignment, choice, reason))
      return error;
  }
  return llvm::Error::success();
}

llvm::Error Assigner::decide(MutableArrayRef<Assignment> assignments) {
  if (llvm::Error error = applyRules(assignments))
    return error;
  if (recipe.mixture)
    // Layers of a function lie side by side.
    for (MutableArrayRef<Assignment> rest = assignments; !rest.empty();) {
      const auto getFunction = [](Assignment &assignment) {
        return assignment.layer.op->getParentOfType<FunctionOpInterface>();
      };
      const size_t count = llvm::count_if(rest, [&](Assignment &assignment) {
        return getFunction(assignment) == getFunction(rest.front());
      });
      if (llvm::Error error = applyMixture(rest.take_front(count)))
        return error;
      rest = rest.drop_front(count);
    }
  if (recipe.defaultChoice)
    for (Assignment &assignment : assignments)
      if (assignment.reason.empty() && assignment.role != LayerRole::Head &&
          assignment.layer.op.getQuantizableKind() == QuantizableKind::Linear)
        if (llvm::Error error =
                choose(assignment, *recipe.defaultChoice, "default"))
          return error;
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// The report
//===----------------------------------------------------------------------===//

/// What was decided, as a recipe that decides the same for this model.
static llvm::json::Value toRecipe(MutableArrayRef<Assignment> assignments) {
  llvm::json::Array rules;
  for (Assignment &assignment : assignments) {
    if (assignment.reason.empty())
      continue;
    std::string format = LowbitDialect::keepFloat.str();
    if (assignment.format) {
      format.clear();
      llvm::raw_string_ostream(format) << assignment.format;
    }
    rules.push_back(llvm::json::Object{
        {"layers", "^" + llvm::Regex::escape(assignment.layer.name) + "$"},
        {"format", format},
        {"comment",
         llvm::formatv("{0}, {1}x{2}, {3:f3} bits per weight, by {4}",
                       getName(assignment.role), assignment.shape[0],
                       assignment.shape[1], assignment.getBitsPerWeight(),
                       assignment.reason)
             .str()}});
  }
  return llvm::json::Object{{"rules", std::move(rules)}};
}

static void printAssignments(llvm::raw_ostream &os,
                             MutableArrayRef<Assignment> assignments) {
  std::vector<std::vector<std::string>> lines = {
      {"layer", "role", "shape", "format", "bits/weight", "by"}};
  for (Assignment &assignment : assignments) {
    const bool decided = !assignment.reason.empty();
    lines.push_back(
        {assignment.layer.name, getName(assignment.role).str(),
         llvm::formatv("{0}x{1}", assignment.shape[0], assignment.shape[1])
             .str(),
         decided ? assignment.describe() : "-",
         decided ? llvm::formatv("{0:f3}", assignment.getBitsPerWeight()).str()
                 : "-",
         decided ? assignment.reason : "-"});
  }
  printAligned(os, lines, /*firstFigure=*/4, /*numFigures=*/1);
}

llvm::Error
AssignFormatsPass::writeReport(MutableArrayRef<Assignment> assignments) const {
  if (report.empty() || !ProcessGroup::get().isFirst())
    return llvm::Error::success();
  const auto printTable = [&](llvm::raw_ostream &os) {
    printAssignments(os, assignments);
    if (!searched.empty()) {
      os << '\n';
      printSensitivities(os, searched, searchOptions);
    }
  };
  if (report == "-") {
    printTable(llvm::errs());
    return llvm::Error::success();
  }
  llvm::Expected<OutputFile> file = OutputFile::create(report);
  if (!file)
    return file.takeError();
  if (StringRef(report).ends_with(".json"))
    file->os() << llvm::formatv("{0:2}\n", toRecipe(assignments));
  else
    printTable(file->os());
  return file->commit();
}

//===----------------------------------------------------------------------===//
// The search
//===----------------------------------------------------------------------===//

llvm::Error
AssignFormatsPass::checkSearchOptions(const FormatRecipe &plan) const {
  const std::pair<StringRef, double> budgets[] = {
      {"budget", budget},
      {"budget-bytes", budgetBytes},
      {"budget-latency", budgetLatency}};
  StringRef given;
  for (auto [name, value] : budgets) {
    if (!std::isfinite(value) || value < 0)
      return makeError(name + " is " + llvm::formatv("{0}", value).str() +
                       ", but must be a positive number");
    if (value == 0)
      continue;
    if (!given.empty())
      return makeError("there are two budgets, " + given + " and " + name +
                       ": give one");
    given = name;
  }
  if (!search) {
    if (!given.empty() || !candidates.empty())
      return makeError((given.empty() ? "candidates" : given) +
                       " is for a search, which is not asked for: give search");
    return llvm::Error::success();
  }
  if (given.empty())
    return makeError("the search has no budget: give budget (bits per weight), "
                     "budget-bytes or budget-latency");
  if (latency != "predicted" && latency != "measured")
    return makeError("latency is '" + latency +
                     "', but must be predicted or measured");
  if (latency == "measured" && budgetLatency == 0)
    return makeError("latency=measured is for budget-latency, which is not "
                     "given");
  if (latency == "measured" && target != "native")
    return makeError("latency is measured on this machine: leave out the "
                     "target, or let latency be predicted");
  if (plan.mixture || plan.defaultChoice)
    return makeError(Twine("the search decides on all layers that no rule "
                           "matches: leave out the ") +
                     (plan.mixture ? "mixture" : "default"));
  return llvm::Error::success();
}

llvm::Expected<std::unique_ptr<LayerCost>>
AssignFormatsPass::makeCost(ArrayRef<Assignment> assignments) {
  if (budgetLatency != 0 && latency == "measured") {
    // At 8 bits per weight.
    uint64_t modelBytes = 0;
    for (const Assignment &assignment : assignments)
      modelBytes += ShapedType::getNumElements(assignment.shape);
    return createMeasuredLatency(&getContext(), modelBytes);
  }
  if (budgetLatency != 0)
    return createPredictedLatency(&getContext(), target);
  return createStorageCost(/*perWeight=*/budget != 0);
}

/// What a layer may take, without what cannot store it, or has no cost, and
/// without what another candidate falls back to already.
llvm::Expected<SearchedLayer>
AssignFormatsPass::listCandidates(const Assignment &assignment,
                                  const Assigner &assigner, LayerCost &cost) {
  SearchedLayer layer{assignment.layer, {}, 0};
  for (auto [index, choice] : llvm::enumerate(choices)) {
    const auto leaveOut = [&, index = index](llvm::Error reason) {
      std::string text = llvm::toString(std::move(reason));
      if (unfit[index].count++ == 0)
        unfit[index].reason = "'" + assignment.layer.name + "': " + text;
    };
    llvm::Expected<Assigner::Fit> fit = assigner.fit(choice, assignment.shape);
    if (!fit) {
      leaveOut(fit.takeError());
      continue;
    }
    if (llvm::any_of(layer.candidates, [&](const auto &other) {
          return other.format == fit->format;
        }))
      continue;
    llvm::Expected<uint64_t> layerCost =
        cost.get(assignment.layer.op, fit->format);
    if (!layerCost) {
      leaveOut(layerCost.takeError());
      continue;
    }
    layer.candidates.push_back({index, fit->format, *layerCost});
  }
  if (layer.candidates.empty())
    return makeError("no candidate serves layer " + unfit.front().reason);
  return layer;
}

void AssignFormatsPass::reportUnfit() {
  for (auto [choice, what] : llvm::zip_equal(choices, unfit))
    if (what.count != 0)
      emitRemark(getOperation().getLoc())
          << "candidate " << choice.text << " is left out for " << what.count
          << (what.count == 1 ? " layer, " : " layers, the first one ")
          << what.reason;
}

/// Decides on the linear layers of which nothing was said.
llvm::Error
AssignFormatsPass::searchLayers(MutableArrayRef<Assignment> assignments,
                                const Assigner &assigner) {
  llvm::Expected<std::unique_ptr<LayerCost>> cost = makeCost(assignments);
  if (!cost)
    return cost.takeError();
  unfit.resize(choices.size());
  std::vector<Assignment *> open;
  uint64_t fixedCost = 0, fixedWeights = 0;
  for (Assignment &assignment : assignments) {
    if (!assignment.reason.empty()) {
      llvm::Expected<uint64_t> fixed =
          (*cost)->get(assignment.layer.op, assignment.format);
      if (!fixed)
        return makeError("layer '" + assignment.layer.name + "' (" +
                         assignment.reason +
                         "): " + llvm::toString(fixed.takeError()));
      fixedCost += *fixed;
      fixedWeights += ShapedType::getNumElements(assignment.shape);
      continue;
    }
    if (assignment.layer.op.getQuantizableKind() != QuantizableKind::Linear ||
        (assignment.role == LayerRole::Head && !head))
      continue;
    llvm::Expected<SearchedLayer> layer =
        listCandidates(assignment, assigner, **cost);
    if (!layer)
      return layer.takeError();
    searched.push_back(std::move(*layer));
    open.push_back(&assignment);
  }
  reportUnfit();
  if (open.empty())
    return makeError("the search has no layers: rules decide on all of them");

  llvm::Expected<CalibrationOptions> data = getCalibrationOptions();
  if (!data)
    return data.takeError();
  searchOptions.sensitivity = {sensitivity, solver, range, *data, klSamples};
  searchOptions.table = table;
  searchOptions.tied = tied;
  searchOptions.budget = budget != 0        ? budget
                         : budgetBytes != 0 ? budgetBytes
                                            : budgetLatency;
  for (const FormatChoice &choice : choices)
    searchOptions.names.push_back(
        StringRef(choice.text).starts_with("#")
            ? choice.format.format.getBlockFormat()->describe()
            : choice.text);
  llvm::Expected<FormatSearchSummary> summary =
      searchFormats(searched, **cost, fixedCost, fixedWeights, searchOptions);
  if (!summary)
    return summary.takeError();
  uint64_t weights = fixedWeights;
  for (auto [assignment, layer] : llvm::zip_equal(open, searched)) {
    assignment->format = layer.candidates[layer.chosen].format;
    assignment->reason = "search";
    weights += ShapedType::getNumElements(assignment->shape);
  }
  InFlightDiagnostic remark = emitRemark(getOperation().getLoc());
  remark << "search: " << sensitivity
         << llvm::formatv(" {0:e3} in ", summary->error).str()
         << (*cost)->describe(summary->cost, weights);
  if (summary->uniform)
    remark << "; " << searchOptions.names[summary->uniform->index]
           << " for all layers: "
           << llvm::formatv("{0:e3} in ", summary->uniform->error).str()
           << (*cost)->describe(summary->uniform->cost, weights);
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

llvm::Expected<FormatRecipe> AssignFormatsPass::readOptions() {
  MLIRContext *context = &getContext();
  FormatRecipe plan;
  // Rules of the command line come first: they adjust what a file says.
  for (auto [index, rule] : llvm::enumerate(rules))
    if (llvm::Error error =
            plan.addRule(context, rule, ("rules[" + Twine(index) + "]").str()))
      return std::move(error);
  if (!recipe.empty())
    if (llvm::Error error = plan.addFile(context, recipe))
      return std::move(error);
  if (!mixture.empty())
    if (llvm::Error error = plan.setMixture(mixture, "mixture"))
      return std::move(error);
  if (!defaultFormat.empty())
    if (llvm::Error error = plan.setDefault(context, defaultFormat, "default"))
      return std::move(error);
  for (auto [index, text] : llvm::enumerate(fallback))
    if (llvm::Error error = plan.addFallback(
            context, text, ("fallback[" + Twine(index) + "]").str()))
      return std::move(error);
  if (llvm::Error error = checkSearchOptions(plan))
    return std::move(error);
  std::vector<std::string> names(candidates.begin(), candidates.end());
  if (search && names.empty())
    names = {"u2g64", "u3g64", "u4g64", "u5g64", "u6g64", "u8g64"};
  for (auto [index, text] : llvm::enumerate(names)) {
    llvm::Expected<FormatChoice> choice = parseFormatChoice(
        context, text, ("candidates[" + Twine(index) + "]").str());
    if (!choice)
      return choice.takeError();
    choices.push_back(std::move(*choice));
  }
  if (plan.rules.empty() && !plan.mixture && !plan.defaultChoice && !search)
    return makeError("there is nothing to assign: give rules, a mixture, a "
                     "default, a recipe or search");
  // A mixture includes what ggml does where blocks do not divide the width.
  if (plan.mixture && !llvm::is_contained(plan.fallbacks, std::nullopt))
    plan.fallbacks.emplace_back();
  return plan;
}

llvm::Error AssignFormatsPass::runOnLayers() {
  llvm::Expected<FormatRecipe> plan = readOptions();
  if (!plan)
    return plan.takeError();
  llvm::DenseMap<Operation *, LayerRole> roles;
  for (auto function : getOperation().getOps<FunctionOpInterface>())
    for (auto [op, role] : findLayerRoles(function))
      roles[op] = role;
  std::vector<Assignment> assignments;
  for (QuantizableLayer &layer : findLayers(getOperation())) {
    const LayerRole role = roles.lookup(layer.op);
    SmallVector<int64_t, 2> shape = layer.op.getWeightMatrixShape();
    assignments.push_back({std::move(layer), role, std::move(shape), {}, {}});
  }
  Assigner assigner(getOperation(), std::move(*plan));
  if (llvm::Error error = assigner.decide(assignments))
    return error;
  if (search)
    if (llvm::Error error = searchLayers(assignments, assigner))
      return error;

  Builder builder(&getContext());
  double bits = 0, weights = 0;
  unsigned count = 0;
  for (Assignment &assignment : assignments) {
    if (assignment.reason.empty())
      continue;
    assignment.layer.op->setDiscardableAttr(
        LowbitDialect::formatAttrName,
        assignment.format ? Attribute(assignment.format)
                          : builder.getStringAttr(LowbitDialect::keepFloat));
    const double size = ShapedType::getNumElements(assignment.shape);
    bits += assignment.getBitsPerWeight() * size;
    weights += size;
    ++count;
  }
  numLayers += count;
  InFlightDiagnostic remark = emitRemark(getOperation().getLoc());
  remark << "assigned formats to " << count << " of " << assignments.size()
         << " layers";
  if (count != 0)
    remark << llvm::formatv(", {0:f3} bits per weight", bits / weights).str();
  if (const unsigned numFallbacks = assigner.getNumFallbacks())
    remark << "; " << numFallbacks
           << (numFallbacks == 1 ? " takes a fallback" : " take a fallback");
  return writeReport(assignments);
}
