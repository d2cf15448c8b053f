//===- Tune.cpp - kernels as they are fastest on this machine -------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Begins with what the cost model chooses and improves one thing after another:
// the tile of a single token, whose panels all others share, how far ahead it
// asks for the weight, then the tiles of more tokens. Each is measured with the
// tokens that go to it.
//
//===----------------------------------------------------------------------===//

#include "lowbit/Compile/Tune.h"
#include "lowbit/Execution/MatmulTimer.h"
#include "lowbit/Support/OutputFile.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/Support/Format.h"

using namespace mlir;
using namespace lowbit;

/// A choice changes only for a gain that is more than noise.
static constexpr double minGain = 0.02;

/// Tokens for the tile of the most, which is meant for prompts: many of them,
/// so that those that do not fill it count little.
static constexpr int64_t promptTokens = 120;

static uint64_t getBytes(QuantTensorType type) {
  uint64_t bytes = 0;
  for (const FormatComponent &component : type.getComponents())
    bytes += ExternalAttr::getByteSize(component.type);
  return bytes;
}

namespace {
/// The search for one kind of product.
class ProductTuner {
public:
  ProductTuner(const KernelGenerator &generator, const MatmulSignature &product,
               std::shared_ptr<JitEngine> engine, uint64_t bytes,
               raw_ostream &os)
      : generator(generator), product(product),
        timer(product, std::move(engine), bytes), os(os) {}

  llvm::Expected<MatmulTuningAttr> run();

private:
  llvm::Error improve(ArrayRef<MatmulTuningAttr> others, int64_t tokens,
                      function_ref<void(MatmulTuningAttr)> describe);
  llvm::Error improveTile(unsigned index);
  llvm::Error improvePrefetch();
  void print(int64_t tokens, MatmulTuningAttr tuning,
             const MatmulTimer::Timing &timing, StringRef note,
             function_ref<void(MatmulTuningAttr)> describe);

  const KernelGenerator &generator;
  MatmulSignature product;
  MatmulTimer timer;
  raw_ostream &os;
  /// The best so far.
  MatmulTuningAttr best;
};
} // namespace

/// The same without the tiles that no token goes to, which need not be
/// compiled.
static MatmulTuningAttr keepTilesFor(MatmulTuningAttr tuning, int64_t tokens) {
  return MatmulTuningAttr::get(
      tuning.getContext(), tuning.getTarget(),
      llvm::filter_to_vector(
          tuning.getTiles(),
          [&](const MatmulTile &tile) { return tile.shape.tokens <= tokens; }),
      tuning.getPrefetchBytes());
}

static MatmulTuningAttr withPrefetch(MatmulTuningAttr tuning, int64_t bytes) {
  return MatmulTuningAttr::get(tuning.getContext(), tuning.getTarget(),
                               tuning.getTiles(), bytes);
}

void ProductTuner::print(int64_t tokens, MatmulTuningAttr tuning,
                         const MatmulTimer::Timing &timing, StringRef note,
                         function_ref<void(MatmulTuningAttr)> describe) {
  os << llvm::format("  %6lld  %10.1f us  %5.2f  ", (long long)tokens,
                     timing.microseconds, timing.ratio);
  describe(tuning);
  os << note << '\n';
}

/// Takes the fastest of `others` if it is faster than the best one, and again
/// in three of four rounds: the best of several measurements is lucky, too.
llvm::Error
ProductTuner::improve(ArrayRef<MatmulTuningAttr> others, int64_t tokens,
                      function_ref<void(MatmulTuningAttr)> describe) {
  SmallVector<MatmulTuningAttr> all = {best};
  llvm::append_range(all, others);
  auto measure = [&](ArrayRef<MatmulTuningAttr> tunings) {
    return timer.compare(llvm::map_to_vector(tunings,
                                             [&](MatmulTuningAttr tuning) {
                                               return keepTilesFor(tuning,
                                                                   tokens);
                                             }),
                         tokens);
  };
  auto timings = measure(all);
  if (!timings)
    return timings.takeError();
  size_t fastest = 0;
  for (auto [index, timing] : llvm::enumerate(*timings)) {
    print(tokens, all[index], timing, index ? "" : " (so far)", describe);
    if (timing.ratio < (*timings)[fastest].ratio)
      fastest = index;
  }
  if ((*timings)[fastest].ratio > 1 - minGain)
    return llvm::Error::success();
  auto again = measure({best, all[fastest]});
  if (!again)
    return again.takeError();
  bool isFaster = again->back().highRatio <= 1 - minGain;
  print(tokens, all[fastest], again->back(),
        isFaster ? " again: chosen" : " again: not chosen", describe);
  if (isFaster)
    best = all[fastest];
  return llvm::Error::success();
}

llvm::Error ProductTuner::improveTile(unsigned index) {
  SmallVector<MatmulTuningAttr> others =
      generator.getMatmulAlternatives(product, best, index);
  if (others.empty())
    return llvm::Error::success();
  bool takesMost = index == 0 && best.getTiles().size() > 1;
  int64_t tokens =
      takesMost ? promptTokens : best.getTiles()[index].shape.tokens;
  return improve(others, tokens, [&](MatmulTuningAttr tuning) {
    os << tuning.getTiles()[index];
  });
}

llvm::Error ProductTuner::improvePrefetch() {
  int64_t bytes = best.getPrefetchBytes();
  SmallVector<MatmulTuningAttr> others;
  for (int64_t other : {int64_t(0), bytes / 2, bytes * 2})
    others.push_back(withPrefetch(best, other));
  return improve(others, /*tokens=*/1, [&](MatmulTuningAttr tuning) {
    os << "prefetch " << tuning.getPrefetchBytes();
  });
}

llvm::Expected<MatmulTuningAttr> ProductTuner::run() {
  std::string reason;
  FailureOr<MatmulTuningAttr> start =
      generator.getMatmulTuning(product, /*tunings=*/{}, reason);
  if (failed(start))
    return makeError(reason);
  best = *start;
  // A better tile of many tokens may take the place of several: go through them
  // from the last one, whose tokens are fewest.
  for (size_t fromLast = 1; fromLast <= best.getTiles().size(); ++fromLast) {
    if (llvm::Error error = improveTile(best.getTiles().size() - fromLast))
      return error;
    if (fromLast == 1)
      if (llvm::Error error = improvePrefetch())
        return error;
  }
  return best;
}

static void printProduct(raw_ostream &os, const MatmulSignature &product,
                         size_t count) {
  QuantTensorType type = product.weightType;
  os << count << (count == 1 ? " product" : " products") << " with "
     << type.getDimSize(0) << 'x' << type.getDimSize(1) << ' '
     << type.getFormat() << ", input ";
  if (product.inputType)
    os << product.inputType.getFormat();
  else
    os << type.getElementType();
  os << (product.hasBias ? ", bias" : "") << "\n"
     << "  tokens        median  ratio  kernel\n";
}

llvm::Error lowbit::tuneModel(ModuleOp module, const CpuTarget &target,
                              raw_ostream &os) {
  std::unique_ptr<KernelGenerator> generator =
      createCpuKernelGenerator(target.kernels, module.getLoc());
  assert(generator && "a target has kernels that there are, or none");
  using Key = std::pair<std::pair<Type, Type>, unsigned>;
  llvm::MapVector<Key, SmallVector<MatmulOp>> products;
  uint64_t modelBytes = 0;
  module.walk([&](MatmulOp op) {
    QuantTensorType weight = op.getWeight().getType();
    if (!weight.getLayout())
      return;
    modelBytes += getBytes(weight);
    // The kernel does not depend on how many tokens there are.
    auto input = dyn_cast<QuantTensorType>(op.getInput().getType());
    if (input)
      input = cast<QuantTensorType>(input.cloneWith(
          ArrayRef<int64_t>{ShapedType::kDynamic, weight.getDimSize(1)},
          input.getElementType()));
    products[{{weight, input}, bool(op.getBias())}].push_back(op);
  });
  if (products.empty())
    return llvm::Error::success();

  llvm::Expected<std::shared_ptr<JitEngine>> engine =
      JitEngine::create({target});
  if (!engine)
    return engine.takeError();
  uint64_t bytes = std::min(modelBytes, MatmulTimer::getUncachedBytes());
  for (auto &[key, ops] : products) {
    MatmulSignature product = {
        cast<QuantTensorType>(key.first.first),
        dyn_cast_or_null<QuantTensorType>(key.first.second), bool(key.second)};
    printProduct(os, product, ops.size());
    llvm::Expected<MatmulTuningAttr> tuning =
        ProductTuner(*generator, product, *engine, bytes, os).run();
    if (!tuning)
      return tuning.takeError();
    for (MatmulOp op : ops)
      op.setTuningsAttr(replaceTuning(op.getTuningsAttr(), *tuning));
  }
  return llvm::Error::success();
}
