//===- CalibrationModel.cpp - a copy of a model to run --------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Calibration/CalibrationModel.h"
#include "lowbit/Conversion/LowbitToLinalg/Passes.h"
#include "lowbit/Conversion/OnnxToLinalg/Passes.h"
#include "lowbit/Dialect/Lowbit/IR/LowbitDialect.h"
#include "lowbit/Dialect/Onnx/IR/ShapeInference.h"
#include "lowbit/Support/OutputFile.h"
#include "mlir/Bytecode/BytecodeWriter.h"
#include "mlir/IR/Builders.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace lowbit;

/// Numbers the layers in the copy.
static constexpr llvm::StringLiteral layerAttrName = "lowbit.layer";

CalibrationModel::CalibrationModel(const DialectRegistry &registry)
    : context(registry, MLIRContext::Threading::DISABLED) {
  context.getDiagEngine().registerHandler([this](Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() == DiagnosticSeverity::Error &&
        diagnostics.empty())
      diagnostics = diagnostic.str();
  });
}

CalibrationModel::~CalibrationModel() = default;

llvm::Expected<std::unique_ptr<CalibrationModel>>
CalibrationModel::create(func::FuncOp function,
                         ArrayRef<QuantizableLayer> layers, unsigned threads) {
  MLIRContext *original = function.getContext();
  Builder builder(original);
  for (auto [index, layer] : llvm::enumerate(layers))
    layer.op->setDiscardableAttr(layerAttrName,
                                 builder.getI64IntegerAttr(index));
  OwningOpRef<ModuleOp> copy = ModuleOp::create(function.getLoc());
  copy->push_back(function->clone());
  for (const QuantizableLayer &layer : layers)
    layer.op->removeDiscardableAttr(layerAttrName);
  std::string bytecode;
  llvm::raw_string_ostream os(bytecode);
  if (failed(writeBytecodeToFile(*copy, os)))
    return makeError("cannot copy the model");

  std::unique_ptr<CalibrationModel> model(
      new CalibrationModel(original->getDialectRegistry()));
  model->numLayers = layers.size();
  // The store belongs to the original's dialect, which lives longer.
  WeightStore &store =
      original->getLoadedDialect<LowbitDialect>()->getWeightStore();
  model->context.getOrLoadDialect<LowbitDialect>()->setWeightStore(
      std::shared_ptr<WeightStore>(std::shared_ptr<void>(), &store));
  model->module =
      parseSourceString<ModuleOp>(bytecode, ParserConfig(&model->context));
  if (!model->module)
    return makeError("cannot copy the model: " + model->diagnostics);

  llvm::Expected<CpuTarget> target = CpuTarget::get();
  if (!target)
    return target.takeError();
  llvm::Expected<std::shared_ptr<JitEngine>> engine =
      JitEngine::create({*target});
  if (!engine)
    return engine.takeError();
  if (llvm::Error error = setThreads(threads))
    return std::move(error);
  model->engine = std::move(*engine);
  model->functions = std::make_unique<FunctionCache>(model->engine);
  return model;
}

func::FuncOp CalibrationModel::getFunction() const {
  return *module.get().getOps<func::FuncOp>().begin();
}

SmallVector<QuantizableOpInterface>
CalibrationModel::findLayers(func::FuncOp function) const {
  SmallVector<QuantizableOpInterface> layers(numLayers);
  function.walk([&](QuantizableOpInterface op) {
    if (auto index = op->getAttrOfType<IntegerAttr>(layerAttrName))
      layers[index.getInt()] = op;
  });
  return layers;
}

SmallVector<QuantizableOpInterface> CalibrationModel::getLayers() const {
  return findLayers(getFunction());
}

llvm::Error CalibrationModel::specialize(ArrayRef<Tensor> inputs) {
  func::FuncOp function = getFunction();
  Block &body = function.getBody().front();
  for (auto [argument, input] : llvm::zip_equal(body.getArguments(), inputs)) {
    auto type = cast<RankedTensorType>(argument.getType());
    argument.setType(
        RankedTensorType::get(input.getShape(), type.getElementType()));
  }
  // The layers are all that matters: what follows the last of them goes.
  Operation *end = body.getTerminator();
  OpBuilder builder(end);
  SmallVector<Value> results;
  for (QuantizableOpInterface layer : getLayers())
    results.push_back(layer->getResult(0));
  func::ReturnOp::create(builder, end->getLoc(), results);
  end->erase();
  function.setType(builder.getFunctionType(body.getArgumentTypes(),
                                           ValueRange(results).getTypes()));
  function.setAllResultAttrs(SmallVector<DictionaryAttr>(
      results.size(), builder.getDictionaryAttr({})));
  for (unsigned i = 0, e = body.getNumArguments(); i < e; ++i)
    function.removeArgAttr(i, "onnx.dim_params");

  FailureOr<onnx::SymbolicShapes> shapes = onnx::inferShapes(function);
  if (failed(shapes))
    return makeError("the model does not fit the calibration data: " +
                     diagnostics);
  onnx::refineTypes(function, *shapes);
  PassManager manager(&context);
  manager.addPass(createCanonicalizerPass());
  manager.addPass(createCSEPass());
  if (failed(manager.run(*module)))
    return makeError("cannot simplify the model: " + diagnostics);
  return llvm::Error::success();
}

/// Lowers a module of onnx ops, and of lowbit ops where layers are quantized
/// already, to linalg on tensors. No weight is packed: that would write to the
/// file of the model's weights.
static LogicalResult lowerToLinalg(ModuleOp module) {
  PassManager manager(module.getContext());
  manager.addPass(createConvertOnnxToLinalg());
  manager.addPass(createLowbitToLinalg());
  manager.addPass(createCanonicalizerPass());
  return manager.run(module);
}

llvm::Expected<const CompiledFunction *>
CalibrationModel::compile(ModuleOp stage) {
  if (failed(lowerToLinalg(stage)))
    return makeError("cannot lower the model for calibration: " + diagnostics);
  return functions->get(stage);
}

llvm::Expected<std::unique_ptr<Session>>
CalibrationModel::compile(OwningOpRef<ModuleOp> whole) const {
  if (failed(lowerToLinalg(*whole)))
    return makeError("cannot lower the model: " + diagnostics);
  return Session::compile(*whole, engine);
}

llvm::Expected<std::unique_ptr<Session>>
CalibrationModel::compileModel() const {
  return compile(OwningOpRef<ModuleOp>(module.get().clone()));
}

llvm::Expected<std::unique_ptr<Session>>
CalibrationModel::compileModelOnWeights() const {
  OwningOpRef<ModuleOp> whole(module.get().clone());
  func::FuncOp function = *whole->getOps<func::FuncOp>().begin();
  for (auto [index, layer] : llvm::enumerate(findLayers(function))) {
    OpOperand &weight = layer.getQuantizableWeight();
    const unsigned position = function.getNumArguments();
    Builder builder(function.getContext());
    if (failed(function.insertArgument(
            position, weight.get().getType(),
            builder.getDictionaryAttr(builder.getNamedAttr(
                "onnx.name",
                builder.getStringAttr("lowbit.weight." + Twine(index)))),
            layer.getLoc())))
      return makeError("cannot take the weights of the model as inputs");
    weight.set(function.getArgument(position));
  }
  return compile(std::move(whole));
}
