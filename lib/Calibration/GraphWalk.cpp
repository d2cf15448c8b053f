//===- GraphWalk.cpp - one walk over a graph with real data ---------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Calibration/GraphWalk.h"
#include "lowbit/Dialect/Lowbit/IR/ElementTypes.h"
#include "lowbit/Dialect/Lowbit/IR/LowbitAttrs.h"
#include "lowbit/Dialect/Onnx/IR/OnnxOps.h"
#include "lowbit/Support/ProcessGroup.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace lowbit;

static bool isConstant(Value value) {
  return matchPattern(value, m_Constant());
}

/// Whether code takes a constant as an argument instead of holding it: what
/// differs between layers that are otherwise alike. Shapes, axes and scalars
/// stay, as code is specialized for them.
static bool isLifted(Value constant) {
  auto type = dyn_cast<RankedTensorType>(constant.getType());
  return type && isa<FloatType>(type.getElementType()) &&
         type.getNumElements() > 1;
}

GraphWalk::GraphWalk(func::FuncOp function,
                     ArrayRef<QuantizableOpInterface> layers, Compiler compile,
                     uint64_t memoryBudget, bool keepsFloat)
    : function(function), layers(layers), compile(std::move(compile)),
      current(keepsFloat ? memoryBudget / 2 : memoryBudget, layers.size()) {
  if (keepsFloat)
    original.emplace(memoryBudget / 2, layers.size());
  for (auto [index, layer] : llvm::enumerate(layers))
    layerOf[layer] = index;
  assignStages();
  connectStages();
}

int GraphWalk::getLayer(Operation *op) const {
  auto found = layerOf.find(op);
  return found == layerOf.end() ? -1 : static_cast<int>(found->second);
}

/// The values that `op` reads, those inside its regions included.
static SmallVector<OpOperand *> getAllOperands(Operation *op) {
  SmallVector<OpOperand *> operands;
  op->walk([&](Operation *inner) {
    for (OpOperand &operand : inner->getOpOperands())
      if (inner == op ||
          !op->isAncestor(operand.get().getParentBlock()->getParentOp()))
        operands.push_back(&operand);
  });
  return operands;
}

/// Finds the ops on which the input of a layer depends, and their stages.
void GraphWalk::assignStages() {
  llvm::DenseSet<Operation *> needed;
  SmallVector<Value> worklist;
  for (QuantizableOpInterface layer : layers)
    worklist.push_back(layer.getQuantizableInput().get());
  while (!worklist.empty()) {
    Operation *op = worklist.pop_back_val().getDefiningOp();
    if (!op || isConstant(op->getResult(0)) || !needed.insert(op).second)
      continue;
    for (OpOperand *operand : getAllOperands(op))
      worklist.push_back(operand->get());
  }

  llvm::DenseMap<Value, unsigned> stageOfValue;
  for (Operation &op : function.getBody().front()) {
    if (op.getNumResults() == 0 || isConstant(op.getResult(0)))
      continue;
    unsigned stage = 0;
    for (OpOperand *operand : getAllOperands(&op))
      stage = std::max(stage, stageOfValue.lookup(operand->get()));
    const int layer = getLayer(&op);
    if (layer >= 0) {
      const Value input = layers[layer].getQuantizableInput().get();
      const unsigned visited = stageOfValue.lookup(input);
      stages.resize(std::max<size_t>(stages.size(), visited + 1));
      auto &visits = stages[visited].visits;
      auto *sameInput = llvm::find_if(visits, [&](ArrayRef<unsigned> visit) {
        return layers[visit.front()].getQuantizableInput().get() == input;
      });
      if (sameInput == visits.end())
        visits.push_back({static_cast<unsigned>(layer)});
      else
        sameInput->push_back(layer);
      stage = std::max(stage, visited + 1);
    }
    for (Value result : op.getResults())
      stageOfValue[result] = stage;
    if (needed.contains(&op)) {
      stages.resize(std::max<size_t>(stages.size(), stage + 1));
      stages[stage].ops.push_back(&op);
      stageOf[&op] = stage;
    }
  }
}

void GraphWalk::addInput(Stage &stage, OpOperand &operand) {
  Input input{operand.get()};
  const int layer = getLayer(operand.getOwner());
  if (layer >= 0 && &layers[layer].getQuantizableWeight() == &operand)
    input.layer = layer;
  else if (isConstant(operand.get()) && !isLifted(operand.get()))
    return;
  if (llvm::none_of(stage.inputs, [&](const Input &other) {
        return other.value == input.value && other.layer == input.layer;
      }))
    stage.inputs.push_back(input);
}

/// Finds what crosses the borders of the stages, and when it is last needed.
void GraphWalk::connectStages() {
  llvm::MapVector<Value, unsigned> lastUse;
  auto use = [&](Value value, unsigned stage) {
    unsigned &last = lastUse[value];
    last = std::max(last, stage);
  };
  for (auto [index, stage] : llvm::enumerate(stages)) {
    const unsigned current = index;
    for (Operation *op : stage.ops)
      for (OpOperand *operand : getAllOperands(op)) {
        Operation *definition = operand->get().getDefiningOp();
        if (definition && stageOf.contains(definition) &&
            stageOf[definition] == current)
          continue;
        addInput(stage, *operand);
        if (!isConstant(operand->get()))
          use(operand->get(), current);
      }
    for (ArrayRef<unsigned> visit : stage.visits)
      use(layers[visit.front()].getQuantizableInput().get(), current);
  }
  for (auto [value, last] : lastUse) {
    if (Operation *definition = value.getDefiningOp())
      stages[stageOf.lookup(definition)].outputs.push_back(value);
    stages[last].dead.push_back(value);
  }
}

/// A module with one function: the ops of a stage. Stages that differ in
/// nothing but weights give equal modules.
OwningOpRef<ModuleOp> GraphWalk::buildModule(const Stage &stage) {
  MLIRContext *context = function.getContext();
  const Location loc = UnknownLoc::get(context);
  OwningOpRef<ModuleOp> module = ModuleOp::create(loc);
  OpBuilder builder = OpBuilder::atBlockEnd(module->getBody());
  SmallVector<Type> inputTypes, outputTypes;
  for (const Input &input : stage.inputs)
    inputTypes.push_back(input.value.getType());
  for (Value output : stage.outputs)
    outputTypes.push_back(output.getType());
  auto stageFunction =
      func::FuncOp::create(builder, loc, "stage",
                           FunctionType::get(context, inputTypes, outputTypes));
  Block *block = stageFunction.addEntryBlock();
  builder.setInsertionPointToStart(block);

  IRMapping mapping;
  llvm::DenseMap<unsigned, Value> layerWeights;
  for (auto [input, argument] :
       llvm::zip_equal(stage.inputs, block->getArguments())) {
    if (input.layer >= 0)
      layerWeights[input.layer] = argument;
    else
      mapping.map(input.value, argument);
  }
  for (Operation *op : stage.ops) {
    for (OpOperand *operand : getAllOperands(op))
      if (isConstant(operand->get()) && !isLifted(operand->get()) &&
          !mapping.contains(operand->get()))
        builder.clone(*operand->get().getDefiningOp(), mapping);
    Operation *copy = builder.clone(*op, mapping);
    copy->setDiscardableAttrs(ArrayRef<NamedAttribute>());
    if (const int layer = getLayer(op); layer >= 0)
      cast<QuantizableOpInterface>(copy).getQuantizableWeight().set(
          layerWeights.lookup(layer));
  }
  SmallVector<Value> results;
  for (Value output : stage.outputs)
    results.push_back(mapping.lookup(output));
  func::ReturnOp::create(builder, loc, results);
  module->walk([&](Operation *op) { op->setLoc(loc); });
  return module;
}

/// The elements of a constant, in place where it lies in a file.
llvm::Expected<Tensor> GraphWalk::getConstant(const Input &input,
                                              const Trace &trace) {
  if (input.layer >= 0 && trace.weights[input.layer].getBytes())
    return trace.weights[input.layer];
  Attribute value;
  matchPattern(input.value, m_Constant(&value));
  auto type = cast<RankedTensorType>(input.value.getType());
  auto storage = std::make_shared<SmallVector<char>>();
  llvm::Expected<ArrayRef<char>> bytes = getConstantBytes(value, *storage);
  if (!bytes)
    return bytes.takeError();
  // Compiled code does not write to its inputs.
  return Tensor(
      getElementType(type.getElementType()).value_or(ElementType::F32),
      type.getShape(), const_cast<char *>(bytes->data()), storage);
}

llvm::Expected<GraphWalk::Program> GraphWalk::load(const Stage &stage,
                                                   const Trace &trace) {
  OwningOpRef<ModuleOp> module = buildModule(stage);
  llvm::Expected<const CompiledFunction *> code = compile(*module);
  if (!code)
    return code.takeError();
  Program program{&stage, *code, std::vector<Tensor>(stage.inputs.size())};
  for (auto [input, argument] :
       llvm::zip_equal(stage.inputs, program.arguments))
    if (isConstant(input.value)) {
      llvm::Expected<Tensor> constant = getConstant(input, trace);
      if (!constant)
        return constant.takeError();
      argument = std::move(*constant);
    }
  return program;
}

/// The outputs of a program in one batch. Arguments that it has are taken as
/// they are, others from what has been computed.
llvm::Expected<std::vector<Tensor>>
GraphWalk::run(const Program &program, const Trace &trace, unsigned batch) {
  std::vector<Tensor> arguments = program.arguments;
  for (auto [input, argument] :
       llvm::zip_equal(program.stage->inputs, arguments))
    if (!argument.getBytes()) {
      llvm::Expected<Tensor> value = trace.activations.get(input.value, batch);
      if (!value)
        return value.takeError();
      argument = std::move(*value);
    }
  return program.code->run(arguments);
}

llvm::Error GraphWalk::runStage(const Stage &stage, unsigned numOwnBatches,
                                Trace &trace) {
  if (stage.outputs.empty())
    return llvm::Error::success();
  llvm::Expected<Program> program = load(stage, trace);
  if (!program)
    return program.takeError();
  for (unsigned batch = 0; batch < numOwnBatches; ++batch) {
    llvm::Expected<std::vector<Tensor>> results = run(*program, trace, batch);
    if (!results)
      return results.takeError();
    for (auto [value, result] : llvm::zip_equal(stage.outputs, *results))
      if (llvm::Error error = trace.activations.put(value, batch, result))
        return error;
  }
  return llvm::Error::success();
}

/// What the output of a layer, plus its bias perhaps, is added to; null if that
/// is nothing or not at hand.
Value GraphWalk::findAddend(unsigned layer) const {
  QuantizableOpInterface op = layers[layer];
  Value output = op->getResult(0);
  while (true) {
    // The function returns the results of layers only for them to be computed.
    SmallVector<Operation *> users =
        llvm::filter_to_vector(output.getUsers(), [](Operation *user) {
          return !user->hasTrait<OpTrait::IsTerminator>();
        });
    auto add = users.size() == 1 ? dyn_cast<onnx::AddOp>(users.front())
                                 : onnx::AddOp();
    if (!add)
      return {};
    const Value other = add.getA() == output ? add.getB() : add.getA();
    if (!isConstant(other)) {
      const bool isAtHand = other.getType() == output.getType() &&
                            current.activations.contains(other);
      return isAtHand ? other : Value();
    }
    output = add.getResult();
  }
}

//===----------------------------------------------------------------------===//
// Modules
//===----------------------------------------------------------------------===//

static bool isLinear(Operation *op) {
  auto layer = dyn_cast<QuantizableOpInterface>(op);
  return layer && layer.isQuantizable() &&
         layer.getQuantizableKind() == QuantizableKind::Linear;
}

static bool isFloat(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && isa<FloatType>(type.getElementType());
}

/// The module that layers begin whose input is at hand.
GraphWalk::Stage GraphWalk::findModule(ArrayRef<unsigned> members) {
  Stage module;
  llvm::DenseSet<Operation *> ops;
  // Values that the module goes on from, and those where it ends.
  llvm::DenseSet<Value> open;
  llvm::SetVector<Value> ends;
  auto canContinue = [&](Operation *op, ArrayRef<OpOperand *> operands) {
    bool reads = false, isAtHand = true, reachesOut = false;
    for (OpOperand *operand : operands) {
      if (open.contains(operand->get())) {
        reads = true;
      } else if (!isConstant(operand->get())) {
        isAtHand &= current.activations.contains(operand->get());
        reachesOut = true;
      }
    }
    return reads && isAtHand && !(reachesOut && isa<onnx::AddOp>(op));
  };
  for (Operation &op : function.getBody().front().without_terminator()) {
    if (op.getNumResults() == 0 || isConstant(op.getResult(0)))
      continue;
    const int layer = getLayer(&op);
    const bool begins = layer >= 0 && llvm::is_contained(members, layer);
    const SmallVector<OpOperand *> operands = getAllOperands(&op);
    if (!begins && !canContinue(&op, operands))
      continue;
    ops.insert(&op);
    module.ops.push_back(&op);
    if (begins || !isLinear(&op))
      open.insert(op.getResults().begin(), op.getResults().end());
    else
      ends.insert(op.getResult(0));
    for (OpOperand *operand : operands)
      if (!ops.contains(operand->get().getDefiningOp()))
        addInput(module, *operand);
  }
  // What has other readers, or none, is an output as well; the function returns
  // the results of layers only for them to be computed.
  for (Operation *op : module.ops)
    for (Value result : op->getResults()) {
      const bool isRead = llvm::any_of(result.getUsers(), [](Operation *user) {
        return !user->hasTrait<OpTrait::IsTerminator>();
      });
      const bool leaves = llvm::any_of(result.getUsers(), [&](Operation *user) {
        while (user->getBlock() != op->getBlock())
          user = user->getParentOp();
        return !user->hasTrait<OpTrait::IsTerminator>() && !ops.contains(user);
      });
      if (isFloat(result) && (leaves || (!isRead && getLayer(op) >= 0)))
        ends.insert(result);
    }
  module.outputs.assign(ends.begin(), ends.end());
  return module;
}

llvm::Expected<std::vector<Tensor>>
GraphWalk::runModule(ArrayRef<unsigned> members, Module &module, unsigned batch,
                     ArrayRef<Tensor> newWeights, const Tensor &newInput) {
  if (!module.program) {
    module.stage = findModule(members);
    llvm::Expected<Program> program = load(module.stage, current);
    if (!program)
      return program.takeError();
    module.program = std::move(*program);
  }
  Program program = *module.program;
  const Value input = layers[members.front()].getQuantizableInput().get();
  for (auto [argument, tensor] :
       llvm::zip_equal(module.stage.inputs, program.arguments)) {
    if (argument.layer < 0 && argument.value == input)
      tensor = newInput;
    for (auto [layer, weight] : llvm::zip_equal(members, newWeights))
      if (argument.layer == static_cast<int>(layer) && weight.getBytes())
        tensor = weight;
  }
  return run(program, current, batch);
}

/// The stage behind those that are of one block with stage `first`: visits of
/// them all belong to it.
unsigned GraphWalk::getEndOfBlock(unsigned first,
                                  ArrayRef<unsigned> blocks) const {
  unsigned end = first + 1;
  if (blocks.empty() || stages[first].visits.empty())
    return end;
  auto getBlock = [&](unsigned stage) {
    return blocks[stages[stage].visits.front().front()];
  };
  while (end < stages.size() &&
         (stages[end].visits.empty() || getBlock(end) == getBlock(first)))
    ++end;
  return end;
}

/// What the process that owns a batch computes of it, for all processes.
template <typename T>
static llvm::Expected<T>
computeForAll(unsigned owner, llvm::function_ref<llvm::Expected<T>()> compute) {
  ProcessGroup &group = ProcessGroup::get();
  T result;
  if (owner == group.getRank()) {
    llvm::Expected<T> own = compute();
    if (!own)
      return own.takeError();
    result = std::move(*own);
  }
  group.broadcast(result, owner);
  return result;
}

llvm::Error GraphWalk::visitLayers(const Stage &stage,
                                   const BatchShares &shares, Visitor visit,
                                   Replacements &replacements) {
  ProcessGroup &group = ProcessGroup::get();
  const unsigned begin = shares.getShare(group.getRank()).first;
  auto get = [&](const Trace &trace, Value value, unsigned batch) {
    return computeForAll<Tensor>(shares.getOwner(batch), [&] {
      return trace.activations.get(value, batch - begin);
    });
  };
  for (ArrayRef<unsigned> members : stage.visits) {
    Value input = layers[members.front()].getQuantizableInput().get();
    auto getInput = [&](unsigned batch) { return get(current, input, batch); };
    auto getFloatInput = [&](unsigned batch) {
      return get(*original, input, batch);
    };
    auto hasAddend = [&](unsigned layer) {
      // A process without batches has no values at hand.
      uint64_t isFound = !!findAddend(layer);
      group.broadcast(isFound, shares.getOwner(0));
      return isFound != 0;
    };
    auto getAddend = [&](unsigned layer, unsigned batch) {
      return get(current, findAddend(layer), batch);
    };
    auto getFloatAddend = [&](unsigned layer, unsigned batch) {
      return get(*original, findAddend(layer), batch);
    };
    Module module;
    auto runAhead = [&](unsigned batch, ArrayRef<Tensor> newWeights,
                        const Tensor &newInput) {
      return computeForAll<std::vector<Tensor>>(shares.getOwner(batch), [&] {
        return runModule(members, module, batch - begin, newWeights, newInput);
      });
    };
    auto getOwnInput = [&](unsigned batch) {
      return current.activations.get(input, batch - begin);
    };
    llvm::Expected<std::vector<Tensor>> replaced = visit(
        {members, shares.getNumBatches(), getInput, getFloatInput, hasAddend,
         getAddend, getFloatAddend, runAhead, shares, getOwnInput});
    if (!replaced)
      return replaced.takeError();
    for (auto [layer, weight] : llvm::zip_equal(members, *replaced))
      replacements.push_back({layer, std::move(weight)});
  }
  return llvm::Error::success();
}

llvm::Error GraphWalk::run(ArrayRef<Batch> batches, Visitor visit,
                           ArrayRef<unsigned> blocks) {
  ProcessGroup &group = ProcessGroup::get();
  const BatchShares shares(batches.size(), group.getSize());
  // Activations are numbered from the first batch of the share on.
  const auto [ownBegin, ownEnd] = shares.getShare(group.getRank());
  const unsigned numOwnBatches = ownEnd - ownBegin;
  const ArrayRef<Batch> ownBatches = batches.slice(ownBegin, numOwnBatches);
  SmallVector<Trace *, 2> traces = {&current};
  if (original)
    traces.push_back(&*original);
  for (Trace *trace : traces)
    for (auto [batch, inputs] : llvm::enumerate(ownBatches))
      for (auto [argument, tensor] :
           llvm::zip_equal(function.getArguments(), inputs))
        if (llvm::Error error = trace->activations.put(argument, batch, tensor))
          return error;

  auto runStages = [&](ArrayRef<Stage> some) -> llvm::Error {
    for (const Stage &stage : some) {
      // A stage of a block runs twice.
      for (Value output : stage.outputs)
        current.activations.erase(output);
      if (llvm::Error error = runStage(stage, numOwnBatches, current))
        return error;
      // The float copies of what has been replaced in this stage are not
      // needed any more.
      for (const Input &input : stage.inputs)
        if (input.layer >= 0)
          current.weights[input.layer] = Tensor();
    }
    return llvm::Error::success();
  };
  for (unsigned first = 0; first < stages.size();) {
    const unsigned end = getEndOfBlock(first, blocks);
    const ArrayRef<Stage> block = ArrayRef(stages).slice(first, end - first);
    Replacements replacements;
    for (const Stage &stage : block) {
      if (llvm::Error error = runStages(stage))
        return error;
      if (original)
        if (llvm::Error error = runStage(stage, numOwnBatches, *original))
          return error;
      if (llvm::Error error = visitLayers(stage, shares, visit, replacements))
        return error;
    }
    for (auto &[layer, weight] : replacements)
      current.weights[layer] = std::move(weight);
    if (llvm::Error error = runStages(block.drop_front()))
      return error;
    for (const Stage &stage : block)
      for (Value value : stage.dead)
        for (Trace *trace : traces)
          trace->activations.erase(value);
    first = end;
  }
  return llvm::Error::success();
}
