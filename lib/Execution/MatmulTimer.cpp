//===- MatmulTimer.cpp - how long a kernel takes --------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Execution/MatmulTimer.h"
#include "lowbit/Dialect/Lowbit/IR/ElementTypes.h"
#include "lowbit/Dialect/Lowbit/IR/LowbitOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include <chrono>
#include <cstring>
#include <unistd.h>

using namespace mlir;
using namespace lowbit;

/// A measurement takes at least this long: a clock and a call take less than a
/// thousandth of it.
static constexpr double minSampleMicroseconds = 2000;
/// Rounds in which each kernel is measured once; fewer if these would take more
/// than a few seconds.
static constexpr size_t maxRounds = 15, minRounds = 7;
static constexpr double maxMicroseconds = 3e6;

/// What a buffer is filled with. As floats of any type it is a small positive
/// number; zeros would be pages that all are the same memory.
static constexpr int fillByte = 0x3c;

uint64_t MatmulTimer::getUncachedBytes() {
  uint64_t cache = 0;
#ifdef _SC_LEVEL3_CACHE_SIZE
  for (int name : {_SC_LEVEL2_CACHE_SIZE, _SC_LEVEL3_CACHE_SIZE})
    cache = std::max<int64_t>(cache, sysconf(name));
#endif
  // Where the system does not tell, more than most have.
  constexpr uint64_t likely = 32 << 20;
  uint64_t bytes = 2 * (cache ? cache : likely);
  uint64_t available =
      uint64_t(sysconf(_SC_AVPHYS_PAGES)) * uint64_t(sysconf(_SC_PAGESIZE));
  return std::min(bytes, available / 4);
}

MatmulTimer::MatmulTimer(const MatmulSignature &product,
                         std::shared_ptr<JitEngine> engine, uint64_t bytes)
    : product(product), functions(std::move(engine)) {
  QuantTensorType type = product.weightType;
  uint64_t made = 0;
  do {
    SmallVector<Tensor> &weight =
        weights.emplace_back(makeOperands(type, type.getDimSize(0)));
    for (const Tensor &component : weight)
      made += component.getByteSize();
    if (product.hasBias)
      weight.emplace_back(ElementType::F32,
                          ArrayRef<int64_t>{type.getDimSize(0)});
  } while (made < bytes);
}

/// The components of a tensor of a type whose number of rows may be dynamic.
SmallVector<Tensor> MatmulTimer::makeOperands(QuantTensorType type,
                                              int64_t rows) const {
  SmallVector<Tensor> operands;
  for (const FormatComponent &component : type.getComponents()) {
    SmallVector<int64_t> shape(component.type.getShape());
    if (ShapedType::isDynamic(shape.front()))
      shape.front() = rows;
    Tensor &operand = operands.emplace_back(
        *getElementType(component.type.getElementType()), shape);
    std::memset(operand.getBytes(), fillByte, operand.getByteSize());
  }
  return operands;
}

SmallVector<Tensor> MatmulTimer::makeInputs(int64_t tokens) const {
  if (product.inputType)
    return makeOperands(product.inputType, tokens);
  Tensor input(ElementType::F32, {tokens, product.weightType.getDimSize(1)});
  std::memset(input.getBytes(), fillByte, input.getByteSize());
  return {input};
}

/// A function of the components of the operands.
OwningOpRef<ModuleOp> MatmulTimer::buildModule(MatmulTuningAttr tuning) const {
  auto [weightType, inputType, hasBias] = product;
  MLIRContext *context = weightType.getContext();
  ImplicitLocOpBuilder b(UnknownLoc::get(context), context);
  Type floats = weightType.getElementType();
  auto inputFloats = RankedTensorType::get(
      {ShapedType::kDynamic, weightType.getDimSize(1)}, floats);
  auto resultType = RankedTensorType::get(
      {ShapedType::kDynamic, weightType.getDimSize(0)}, floats);

  SmallVector<Type> arguments = inputType ? inputType.getComponentTypes()
                                          : SmallVector<Type>{inputFloats};
  size_t inputs = arguments.size();
  llvm::append_range(arguments, weightType.getComponentTypes());
  size_t operands = arguments.size();
  if (hasBias)
    arguments.push_back(
        RankedTensorType::get({weightType.getDimSize(0)}, floats));

  OwningOpRef<ModuleOp> module = ModuleOp::create(b.getLoc());
  b.setInsertionPointToEnd(module->getBody());
  auto function = func::FuncOp::create(
      b, "main", b.getFunctionType(arguments, {resultType}));
  Block *entry = function.addEntryBlock();
  b.setInsertionPointToEnd(entry);
  ValueRange values = entry->getArguments();
  Value input = values.front();
  if (inputType)
    input = AssembleOp::create(b, inputType, values.take_front(inputs));
  Value weight = AssembleOp::create(b, weightType,
                                    values.slice(inputs, operands - inputs));
  Value result = MatmulOp::create(b, resultType, input, weight,
                                  hasBias ? values.back() : Value(),
                                  b.getArrayAttr({tuning}));
  func::ReturnOp::create(b, result);
  return module;
}

/// Microseconds of a call, on as many weights in turn.
llvm::Expected<double> MatmulTimer::timeCalls(const CompiledFunction &function,
                                              ArrayRef<Tensor> inputs,
                                              size_t calls) {
  using Clock = std::chrono::steady_clock;
  SmallVector<Tensor> operands(inputs);
  double total = 0;
  for (size_t call = 0; call < calls; ++call) {
    llvm::append_range(operands, weights[nextWeight]);
    nextWeight = (nextWeight + 1) % weights.size();
    auto start = Clock::now();
    auto outputs = function.run(operands);
    std::chrono::duration<double, std::micro> elapsed = Clock::now() - start;
    if (!outputs)
      return outputs.takeError();
    total += elapsed.count();
    operands.truncate(inputs.size());
  }
  return total / double(calls);
}

static double getQuantile(std::vector<double> &values, double q) {
  llvm::sort(values);
  return values[size_t(q * double(values.size() - 1) + 0.5)];
}

llvm::Expected<SmallVector<MatmulTimer::Timing>>
MatmulTimer::compare(ArrayRef<MatmulTuningAttr> tunings, int64_t tokens) {
  SmallVector<Tensor> inputs = makeInputs(tokens);
  SmallVector<const CompiledFunction *> compiled;
  double longest = 0;
  for (MatmulTuningAttr tuning : tunings) {
    auto function = functions.get(*buildModule(tuning));
    if (!function)
      return function.takeError();
    compiled.push_back(*function);
    // The first call starts threads and touches code; the second counts.
    for (int call = 0; call < 2; ++call) {
      llvm::Expected<double> time = timeCalls(**function, inputs, 1);
      if (!time)
        return time.takeError();
      if (call == 1)
        longest = std::max(longest, *time);
    }
  }
  size_t calls = size_t(std::max(minSampleMicroseconds / longest, 1.0));
  double round = double(tunings.size() * calls) * longest;
  size_t rounds =
      std::clamp(size_t(maxMicroseconds / round), minRounds, maxRounds);
  // Interleaved, so that what else the machine does meets all of them; each
  // round begins with another.
  std::vector<std::vector<double>> times(tunings.size()), ratios(times);
  for (size_t round = 0; round < rounds; ++round) {
    for (size_t i = 0; i < tunings.size(); ++i) {
      size_t index = (round + i) % tunings.size();
      llvm::Expected<double> time = timeCalls(*compiled[index], inputs, calls);
      if (!time)
        return time.takeError();
      times[index].push_back(*time);
    }
    for (size_t i = 0; i < tunings.size(); ++i)
      ratios[i].push_back(times[i].back() / times.front().back());
  }
  SmallVector<Timing> result;
  for (auto [time, ratio] : llvm::zip_equal(times, ratios))
    result.push_back({getQuantile(time, 0.5), getQuantile(ratio, 0.5),
                      getQuantile(ratio, 0.75)});
  return result;
}
