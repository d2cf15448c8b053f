// Lowbit's GPTQ of one layer as C functions, for gptq_layer.py.

#include "lowbit/Quantize/Gptq.h"
#include "lowbit/Quantize/UniformFormat.h"
#include "llvm/Support/raw_ostream.h"
#include <algorithm>

using namespace lowbit;

/// The Hessian of `repetitions` times the same inputs [tokens, width], which
/// are one sequence.
extern "C" void accumulate(const float *inputs, int64_t tokens, int64_t width,
                           int64_t repetitions, unsigned threads,
                           float *hessian) {
  HessianAccumulator sum(width, threads);
  for (int64_t i = 0; i < repetitions; ++i)
    sum.update(ConstMatrixView(inputs, tokens, width), 1);
  Hessian result = std::move(sum).finish();
  llvm::copy(result.values, hessian);
}

/// Quantizes `weights` [rows, cols] to `decoded`; false on errors.
extern "C" bool solve(const float *weights, int64_t rows, int64_t cols,
                      const float *hessian, unsigned bits, int64_t groupSize,
                      bool actOrder, bool staticGroups, int64_t refinements,
                      unsigned threads, float *decoded) {
  UniformFormat::Spec spec;
  spec.bits = bits;
  spec.zero = ZeroKind::Integer;
  spec.groupRows = 1;
  spec.groupCols = groupSize;
  spec.scales = ScaleType::F32;
  llvm::Expected<UniformFormat> format = UniformFormat::get(spec);
  GptqOptions options;
  options.actOrder = actOrder;
  options.staticGroups = staticGroups;
  options.refinements = refinements;
  options.threads = threads;
  Hessian copy{cols, std::vector<float>(hessian, hessian + cols * cols)};
  llvm::Expected<GptqFactor> factor =
      GptqFactor::compute(std::move(copy), options);
  if (!format || !factor) {
    llvm::errs() << "bad options or inputs\n";
    return false;
  }
  llvm::Expected<GptqResult> result =
      gptq(*format, ConstMatrixView(weights, rows, cols), *factor,
           MinMaxSearch(), options);
  if (!result) {
    llvm::errs() << llvm::toString(result.takeError()) << '\n';
    return false;
  }
  MatrixView values(decoded, rows, cols);
  if (llvm::Error error = format->decode(result->matrix, values)) {
    llvm::errs() << llvm::toString(std::move(error)) << '\n';
    return false;
  }
  return true;
}
