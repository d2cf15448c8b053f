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
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_CALIBRATION_GRAPHWALK_H
#define LOWBIT_CALIBRATION_GRAPHWALK_H

#include "lowbit/Calibration/ActivationStore.h"
#include "lowbit/Dialect/Lowbit/IR/QuantizableOpInterface.h"
#include "lowbit/Execution/CompiledFunction.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include <functional>
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
  };
  /// Returns a weight for each layer of the visit, of its float weight's type,
  /// for the stages to come; a default tensor keeps the float weight.
  using Visitor =
      llvm::function_ref<llvm::Expected<std::vector<Tensor>>(const Visit &)>;

  /// Compiles a module with one function, of the same ops as the graph. The
  /// code outlives the walk.
  using Compiler = std::function<llvm::Expected<const CompiledFunction *>(
      mlir::ModuleOp module)>;

  /// Walks `function`, whose types are static and fit the batches. `layers` are
  /// its layers of interest, in the order in which visits number them.
  GraphWalk(mlir::func::FuncOp function,
            llvm::ArrayRef<QuantizableOpInterface> layers, Compiler compile,
            uint64_t memoryBudget);

  llvm::Error run(llvm::ArrayRef<Batch> batches, Visitor visit);

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

  void assignStages();
  void connectStages();
  void addInput(Stage &stage, mlir::OpOperand &operand);
  mlir::OwningOpRef<mlir::ModuleOp> buildModule(const Stage &stage);
  llvm::Error runStage(const Stage &stage, unsigned numBatches);
  llvm::Expected<Tensor> getConstant(const Input &input);
  int getLayer(mlir::Operation *op) const;

  mlir::func::FuncOp function;
  llvm::SmallVector<QuantizableOpInterface> layers;
  Compiler compile;
  ActivationStore activations;
  llvm::DenseMap<mlir::Operation *, unsigned> layerOf;
  /// The stage of each op that has to run.
  llvm::DenseMap<mlir::Operation *, unsigned> stageOf;
  std::vector<Stage> stages;
  /// By layer; default tensors stand for float weights.
  std::vector<Tensor> weights;
};

} // namespace lowbit

#endif // LOWBIT_CALIBRATION_GRAPHWALK_H
