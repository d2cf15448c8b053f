//===- GraphWalk.h - one walk over a graph with real data ---- -*- C++ -*--===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// Calibration needs the inputs of every layer as they are when the layers
// before it are quantized already. So the graph is cut into *stages*: stage 0
// is all that depends on no layer, and what depends on layers belongs to the
// stage after the last of them. When a stage has run on all batches, the inputs
// of the layers that read from it are at hand; the visitor quantizes them; and
// the next stage begins with those layers, on their new weights.
//
// Before that, the visitor can look ahead: at the *module* that the layers
// begin. It goes on to the next layers, and includes them: from queries, keys
// and values to the output of attention, from `gate` and `up` to `down`. It
// ends where the layers' outputs are added to other values, so that a layer
// that writes the residual stream is a module by itself.
//
// A walk may keep the float model beside the one that is being quantized: then
// the visitor also sees what the layers' inputs would be without any errors.
//
// Layers may form blocks, which see inputs from the blocks before them with new
// weights, and inside the block with the old ones. Then the stages of a block
// run a second time, on all new weights, before those of the next one.
//
// A group of processes shares the batches: each runs the stages on its own
// ones. All visit the same layers, and have to return the same weights. What
// they ask for of a batch reaches all of them from the one that owns it, so
// they must ask for the same things in the same order.
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_CALIBRATION_GRAPHWALK_H
#define LOWBIT_CALIBRATION_GRAPHWALK_H

#include "lowbit/Calibration/ActivationStore.h"
#include "lowbit/Calibration/BatchShares.h"
#include "lowbit/Dialect/Lowbit/IR/QuantizableOpInterface.h"
#include "lowbit/Execution/CompiledFunction.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include <functional>
#include <optional>
#include <vector>

namespace lowbit {

class GraphWalk {
public:
  /// The inputs of a function, in order.
  using Batch = std::vector<Tensor>;

  /// Layers that read the same value.
  struct Visit {
    llvm::ArrayRef<unsigned> layers;
    unsigned numBatches;
    /// The layers' input in one batch.
    llvm::function_ref<llvm::Expected<Tensor>(unsigned batch)> getInput;
    /// The same, but as the float model has it; only if the walk keeps that.
    llvm::function_ref<llvm::Expected<Tensor>(unsigned batch)> getFloatInput;
    /// What the output of a layer is added to, if it is computed already: one
    /// tensor of the output's type.
    llvm::function_ref<bool(unsigned layer)> hasAddend;
    llvm::function_ref<llvm::Expected<Tensor>(unsigned layer, unsigned batch)>
        getAddend;
    llvm::function_ref<llvm::Expected<Tensor>(unsigned layer, unsigned batch)>
        getFloatAddend;
    /// The outputs of the module in one batch, on these weights, of their float
    /// weights' types, and this input. Default tensors stand for the float
    /// weights and the real input.
    llvm::function_ref<llvm::Expected<std::vector<Tensor>>(
        unsigned batch, llvm::ArrayRef<Tensor> weights, const Tensor &input)>
        runModule;
    BatchShares shares;
    /// The layers' input in a batch of this process's share, without the
    /// others.
    llvm::function_ref<llvm::Expected<Tensor>(unsigned batch)> getOwnInput;
  };
  /// Returns a weight for each layer of the visit, of its float weight's type,
  /// for the stages to come; a default tensor keeps the float weight.
  using Visitor =
      llvm::function_ref<llvm::Expected<std::vector<Tensor>>(const Visit &)>;

  /// Compiles a module with one function, of the same ops as the graph. The
  /// code outlives the walk.
  using Compiler = std::function<llvm::Expected<const CompiledFunction *>(
      mlir::ModuleOp module)>;

  /// Walks `function`, whose types are static and fit all batches. `layers` are
  /// its layers of interest, in the order in which visits number them.
  /// `keepsFloat`: whether the float model is run, too.
  GraphWalk(mlir::func::FuncOp function,
            llvm::ArrayRef<QuantizableOpInterface> layers, Compiler compile,
            uint64_t memoryBudget, bool keepsFloat = false);

  /// `blocks` is the block of each layer; unless there are any, each stage is
  /// one. A block should be visited in successive stages: those of one that
  /// comes back are another one.
  llvm::Error run(llvm::ArrayRef<Batch> batches, Visitor visit,
                  llvm::ArrayRef<unsigned> blocks = {});

  unsigned getNumStages() const { return stages.size(); }

private:
  /// A value that a stage's code takes as an argument: the result of an earlier
  /// stage, a float constant, or the weight of a layer.
  struct Input {
    mlir::Value value;
    /// Index of the layer whose weight it is, or -1.
    int layer = -1;
  };
  struct Stage {
    llvm::SmallVector<mlir::Operation *> ops;
    llvm::SmallVector<Input> inputs;
    llvm::SmallVector<mlir::Value> outputs;
    /// Layers, grouped by the value that they read.
    llvm::SmallVector<llvm::SmallVector<unsigned>> visits;
    /// What no later stage needs.
    llvm::SmallVector<mlir::Value> dead;
  };

  /// One of the models that run side by side.
  struct Trace {
    Trace(uint64_t memoryBudget, size_t layers)
        : activations(memoryBudget), weights(layers) {}

    ActivationStore activations;
    /// By layer; default tensors stand for float weights.
    std::vector<Tensor> weights;
  };
  /// A stage that was compiled, with those of its arguments that are constant.
  struct Program {
    const Stage *stage;
    const CompiledFunction *code;
    std::vector<Tensor> arguments;
  };
  /// The module that layers begin, once it is asked for.
  struct Module {
    Stage stage;
    std::optional<Program> program;
  };
  /// New weights by layer.
  using Replacements = llvm::SmallVector<std::pair<unsigned, Tensor>>;

  void assignStages();
  void connectStages();
  void addInput(Stage &stage, mlir::OpOperand &operand);
  mlir::OwningOpRef<mlir::ModuleOp> buildModule(const Stage &stage);
  llvm::Expected<Program> load(const Stage &stage, const Trace &trace);
  llvm::Expected<std::vector<Tensor>> run(const Program &program,
                                          const Trace &trace, unsigned batch);
  llvm::Error runStage(const Stage &stage, unsigned numOwnBatches,
                       Trace &trace);
  unsigned getEndOfBlock(unsigned first, llvm::ArrayRef<unsigned> blocks) const;
  llvm::Error visitLayers(const Stage &stage, const BatchShares &shares,
                          Visitor visit, Replacements &replacements);
  mlir::Value findAddend(unsigned layer) const;
  Stage findModule(llvm::ArrayRef<unsigned> members);
  llvm::Expected<std::vector<Tensor>>
  runModule(llvm::ArrayRef<unsigned> members, Module &module, unsigned batch,
            llvm::ArrayRef<Tensor> weights, const Tensor &input);
  llvm::Expected<Tensor> getConstant(const Input &input, const Trace &trace);
  int getLayer(mlir::Operation *op) const;

  mlir::func::FuncOp function;
  llvm::SmallVector<QuantizableOpInterface> layers;
  Compiler compile;
  /// The model that is being quantized.
  Trace current;
  /// The float model, if it is kept.
  std::optional<Trace> original;
  llvm::DenseMap<mlir::Operation *, unsigned> layerOf;
  /// The stage of each op that has to run.
  llvm::DenseMap<mlir::Operation *, unsigned> stageOf;
  std::vector<Stage> stages;
};

} // namespace lowbit

#endif // LOWBIT_CALIBRATION_GRAPHWALK_H
