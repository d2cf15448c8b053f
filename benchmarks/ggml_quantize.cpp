// Lowbit's round-to-nearest into GGML blocks as a C function, for
// ggml_agreement.py.

#include "lowbit/Quantize/GgmlFormat.h"
#include "lowbit/Quantize/Solver.h"
#include "llvm/Support/raw_ostream.h"
#include <cstring>
#include <ctime>

using namespace lowbit;

/// Writes the blocks of a rows x cols matrix to `blocks` and returns the
/// processor time that it took in seconds, or -1. `importance` may be null.
extern "C" double quantize(const char *name, const float *values, int64_t rows,
                           int64_t cols, const float *importance,
                           unsigned threads, void *blocks) {
  std::optional<GgmlType> type = getGgmlType(name);
  if (!type)
    return -1;
  llvm::ArrayRef<float> weights;
  if (importance)
    weights = {importance, static_cast<size_t>(cols)};
  const std::clock_t start = std::clock();
  llvm::Expected<SolverResult> result =
      roundToNearest(GgmlFormat(*type), ConstMatrixView(values, rows, cols),
                     MinMaxSearch(), threads, weights);
  const std::clock_t end = std::clock();
  if (!result) {
    llvm::errs() << llvm::toString(result.takeError()) << '\n';
    return -1;
  }
  const std::vector<uint8_t> &bytes = result->matrix.components[0].bytes;
  std::memcpy(blocks, bytes.data(), bytes.size());
  return static_cast<double>(end - start) / CLOCKS_PER_SEC;
}
