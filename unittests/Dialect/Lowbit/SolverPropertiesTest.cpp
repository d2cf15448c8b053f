//===- SolverPropertiesTest.cpp - What every solver does in every format --===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each solver that needs no data meets each format, spelled as in IR, so that a
// new format is a line here. A solver does what it promises or says, naming the
// format, that it cannot.
//
//===----------------------------------------------------------------------===//

#include "../../Quantize/TestUtils.h"
#include "lowbit/Dialect/Lowbit/IR/LowbitAttrs.h"
#include "lowbit/Quantize/EasyQuant.h"
#include "lowbit/Quantize/Hqq.h"
#include "mlir/AsmParser/AsmParser.h"
#include "mlir/IR/MLIRContext.h"
#include <cmath>

using namespace mlir;
using namespace lowbit;
using namespace lowbit::testing;

namespace {

//===----------------------------------------------------------------------===//
// Formats, solvers, matrices
//===----------------------------------------------------------------------===//

struct FormatCase {
  const char *text;
  /// Whether -w is stored as exactly as w is.
  bool isSymmetric = false;
  /// Scales are stored in a format of their own, after codes were chosen, so
  /// that what was searched for is not what is stored.
  bool roundsScalesLast = false;
};

const FormatCase formats[] = {
    {"#lowbit.float<bf16>", true},
    {"#lowbit.uniform<u1, group = [1, 32], scale = f16, zero = u1>"},
    {"#lowbit.uniform<u2, group = [1, 16], scale = f16, zero = u2>"},
    {"#lowbit.uniform<u3, group = [1, *], scale = f32, zero = f16>"},
    {"#lowbit.uniform<u4, group = [1, 64], scale = f16, zero = u4>"},
    {"#lowbit.uniform<u3, group = [3, 16], scale = bf16, zero = f32>"},
    {"#lowbit.uniform<u8, group = [*, *], scale = f32, zero = u8>"},
    {"#lowbit.uniform<u4, group = [1, 32], scale = f16, zero = none>"},
    {"#lowbit.uniform<s4, group = [1, 32], scale = f16, zero = none>"},
    {"#lowbit.uniform<s5, group = [1, 32], scale = f16, zero = s5>"},
    {"#lowbit.uniform<s4, group = [1, 32], scale = f16, zero = none, narrow>",
     true},
    {"#lowbit.uniform<s8, group = [*, 16], scale = f32, zero = none, narrow>",
     true},
    {"#lowbit.codebook<nf4, group = [1, 64], scale = f16>"},
    {"#lowbit.codebook<nf4, group = [1, 16], scale = "
     "#lowbit.codebook<dynamic8, "
     "group = [4, 2], scale = f32>, offset = f32>",
     false, true},
    {"#lowbit.codebook<fp4, group = [1, 64], scale = f32>", true},
    {"#lowbit.codebook<e2m1, group = [1, 32], scale = f8E8M0FNU>", true},
    {"#lowbit.codebook<e2m1, group = [1, 16], scale = #lowbit.codebook<e4m3, "
     "group = [*, *], scale = f32>>",
     true, true},
    {"#lowbit.codebook<e4m3, group = [1, *], scale = f32>", true},
    {"#lowbit.codebook<e5m2, group = [2, 32], scale = bf16>", true},
    {"#lowbit.bcq<bits = 1, group = [1, 32], scale = f32>", true},
    {"#lowbit.bcq<bits = 3, group = [1, 64], scale = f32>", true},
    {"#lowbit.bcq<bits = 2, group = [1, *], scale = f32, offset>", true},
    {"#lowbit.ovp<int4, group = [1, *], scale = f16>", true},
    {"#lowbit.ovp<flint4, group = [1, 32], scale = bf16>", true},
    {"#lowbit.ovp<int8, group = [1, *], scale = f32>", true},
    {"#lowbit.ggml<q4_0>", true},
    {"#lowbit.ggml<q4_1>"},
    {"#lowbit.ggml<q5_0>", true},
    {"#lowbit.ggml<q5_1>"},
    {"#lowbit.ggml<q8_0>", true},
    {"#lowbit.ggml<q2_K>"},
    // The search of ggml goes further for groups whose extreme is negative.
    {"#lowbit.ggml<q3_K>"},
    {"#lowbit.ggml<q4_K>"},
    {"#lowbit.ggml<q5_K>"},
    {"#lowbit.ggml<q6_K>", true},
    {"#lowbit.ggml<iq4_nl>", true},
    {"#lowbit.ggml<iq4_xs>", true},
    {"#lowbit.n_of_m<2:4, values = #lowbit.float<bf16>>", true},
    {"#lowbit.n_of_m<4:8, values = #lowbit.uniform<u3, group = [1, 16], scale "
     "= "
     "f16, zero = f16>>"},
    {"#lowbit.sparse_outliers<dense = #lowbit.uniform<s4, group = [1, *], "
     "scale "
     "= f16, zero = none, narrow>, count = 9, value = f16>",
     true},
    {"#lowbit.sparse_outliers<dense = #lowbit.codebook<nf4, group = [1, 32], "
     "scale = f16>, count = 20, value = f32>"},
};

struct SolverCase {
  const char *name;
  /// `unit` is a power of two in which the weights are measured.
  llvm::Expected<SolverResult> (*solve)(const BlockFormat &format,
                                        ConstMatrixView weights, float unit,
                                        unsigned threads);
  /// Whether weights of another unit get the same codes. The powers of errors
  /// that the range search sums are rounded, which may turn a tie.
  bool isExactInUnits = true;
  /// Whether the solver takes the format; others it refuses.
  bool (*serves)(std::string_view text) = [](std::string_view) { return true; };
};

using Case = std::tuple<FormatCase, SolverCase>;

const MinMaxSearch minMax;
const MseSearch mse;

std::vector<float> makeImportance(int64_t cols) {
  std::vector<float> importance(cols);
  Random random(77);
  for (float &value : importance)
    value = std::exp(random.normal());
  return importance;
}

const SolverCase solvers[] = {
    {"Nearest",
     [](const BlockFormat &format, ConstMatrixView weights, float,
        unsigned threads) {
       return roundToNearest(format, weights, minMax, threads);
     }},
    {"Mse",
     [](const BlockFormat &format, ConstMatrixView weights, float,
        unsigned threads) {
       return roundToNearest(format, weights, mse, threads);
     },
     /*isExactInUnits=*/false},
    {"Important",
     [](const BlockFormat &format, ConstMatrixView weights, float,
        unsigned threads) {
       return roundToNearest(format, weights, minMax, threads,
                             makeImportance(weights.getCols()));
     }},
    {"Hqq",
     [](const BlockFormat &format, ConstMatrixView weights, float unit,
        unsigned threads) {
       // With p = 1 powers are exact, and beta is one over a weight.
       HqqOptions options;
       options.p = 1;
       options.beta /= unit;
       options.threads = threads;
       return hqq(format, weights, minMax, options);
     },
     /*isExactInUnits=*/true,
     [](std::string_view text) {
       return text.starts_with("#lowbit.uniform") &&
              text.find("zero = none") == text.npos;
     }},
    {"EasyQuant",
     [](const BlockFormat &format, ConstMatrixView weights, float,
        unsigned threads) {
       EasyQuantOptions options;
       options.threads = threads;
       return easyQuant(format, weights, minMax, options);
     },
     /*isExactInUnits=*/true,
     [](std::string_view text) {
       return text.starts_with("#lowbit.sparse_outliers");
     }},
};

Matrix makeNormal(int64_t rows, int64_t cols) {
  return Random(rows).matrix(rows, cols, 0.25f);
}

/// A tail such as outliers make.
Matrix makeHeavyTail(int64_t rows, int64_t cols) {
  Matrix weights = Random(rows + 1).matrix(rows, cols);
  for (float &value : weights.values)
    value *= value * value * 0.1f;
  return weights;
}

/// Rows that are zero, constant, of one element, of two signs, of ties, very
/// small, and of a magnitude of their own.
Matrix makeAwkward(int64_t rows, int64_t cols) {
  Matrix weights = Random(rows + 2).matrix(rows, cols);
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t col = 0; col < cols; ++col) {
      float &value = weights(row, col);
      switch (row % 7) {
      case 0:
        value = 0;
        break;
      case 1:
        value = row % 2 == 0 ? 0.3f : -0.7f;
        break;
      case 2:
        value = col == cols / 2 ? 3.0f : 0.0f;
        break;
      case 3:
        value = col % 2 == 0 ? 0.5f : -0.5f;
        break;
      case 4:
        value = static_cast<float>(col % 17) / 8 - 1;
        break;
      case 5:
        value *= 1e-30f;
        break;
      default:
        value *= 50;
        break;
      }
    }
  return weights;
}

Matrix scale(Matrix weights, float factor) {
  for (float &value : weights.values)
    value *= factor;
  return weights;
}

/// The sum of |w - w'|^power.
double getError(const Matrix &weights, const Matrix &decoded, double power) {
  double error = 0;
  for (size_t i = 0; i < weights.values.size(); ++i)
    error += std::pow(std::fabs(double(weights.values[i]) - decoded.values[i]),
                      power);
  return error;
}

//===----------------------------------------------------------------------===//
// Properties
//===----------------------------------------------------------------------===//

class SolverProperties : public ::testing::TestWithParam<Case> {
protected:
  static constexpr int64_t rows = 21;

  SolverProperties() {
    context.loadDialect<LowbitDialect>();
    attr = cast<QuantFormatAttrInterface>(
        parseAttribute(getFormatCase().text, &context));
    format = attr.getBlockFormat();
    // GGML's blocks fill rows; other formats take any number of columns.
    cols = isa<GgmlAttr>(attr) ? 512 : 83;
  }

  const FormatCase &getFormatCase() const { return std::get<0>(GetParam()); }
  const SolverCase &getSolver() const { return std::get<1>(GetParam()); }

  llvm::Expected<SolverResult> trySolve(const Matrix &weights, float unit = 1,
                                        unsigned threads = 2) const {
    return getSolver().solve(*format, weights, unit, threads);
  }
  SolverResult solve(const Matrix &weights, float unit = 1,
                     unsigned threads = 2) const {
    return unwrap(trySolve(weights, unit, threads));
  }
  Matrix decodeOf(const SolverResult &result) const {
    // EasyQuant decides on the number of outliers.
    QuantFormatAttrInterface own = attr.adaptToMatrix(result.matrix);
    return decode(*own.getBlockFormat(), result.matrix);
  }
  std::vector<Matrix> makeMatrices() const {
    return {makeNormal(rows, cols), makeHeavyTail(rows, cols),
            makeAwkward(rows, cols), makeNormal(1, cols)};
  }

  MLIRContext context;
  QuantFormatAttrInterface attr;
  std::shared_ptr<const BlockFormat> format;
  int64_t cols;
};

std::string
getTestName(const ::testing::TestParamInfo<SolverProperties::ParamType> &info) {
  std::string name;
  for (char c : llvm::StringRef(std::get<0>(info.param).text).substr(8))
    if (llvm::isAlnum(c))
      name += c;
    else if (c == '*')
      name += "All";
  return std::string(std::get<1>(info.param).name) + "_" + name;
}

/// The formats with the solvers for which `holds`, of those that are served.
template <typename Predicate>
std::vector<Case> getServed(Predicate holds) {
  std::vector<Case> cases;
  for (const FormatCase &format : formats)
    for (const SolverCase &solver : solvers)
      if (solver.serves(format.text) && holds(format, solver))
        cases.push_back({format, solver});
  return cases;
}

bool is(const SolverCase &solver, std::string_view name) {
  return solver.name == name;
}

class RefusedFormats : public SolverProperties {};
class ServedFormats : public SolverProperties {};
class UnitFreeSolvers : public SolverProperties {};
class SymmetricFormats : public SolverProperties {};
class SearchingSolvers : public SolverProperties {};
class WeighingSolvers : public SolverProperties {};

std::vector<Case> getRefused() {
  std::vector<Case> cases;
  for (const FormatCase &format : formats)
    for (const SolverCase &solver : solvers)
      if (!solver.serves(format.text))
        cases.push_back({format, solver});
  return cases;
}

INSTANTIATE_TEST_SUITE_P(, RefusedFormats, ::testing::ValuesIn(getRefused()),
                         getTestName);
INSTANTIATE_TEST_SUITE_P(, ServedFormats,
                         ::testing::ValuesIn(getServed([](const FormatCase &,
                                                          const SolverCase &) {
                           return true;
                         })),
                         getTestName);
INSTANTIATE_TEST_SUITE_P(, UnitFreeSolvers,
                         ::testing::ValuesIn(getServed(
                             [](const FormatCase &, const SolverCase &solver) {
                               return solver.isExactInUnits;
                             })),
                         getTestName);
INSTANTIATE_TEST_SUITE_P(, SymmetricFormats,
                         ::testing::ValuesIn(getServed(
                             [](const FormatCase &format, const SolverCase &) {
                               return format.isSymmetric;
                             })),
                         getTestName);
INSTANTIATE_TEST_SUITE_P(
    , SearchingSolvers,
    ::testing::ValuesIn(getServed([](const FormatCase &format,
                                     const SolverCase &solver) {
      return !is(solver, "Nearest") && !is(solver, "Important") &&
             !format.roundsScalesLast;
    })),
    getTestName);
INSTANTIATE_TEST_SUITE_P(, WeighingSolvers,
                         ::testing::ValuesIn(getServed(
                             [](const FormatCase &, const SolverCase &solver) {
                               return is(solver, "Important");
                             })),
                         getTestName);

TEST_P(RefusedFormats, AreNamed) {
  const std::string message = getMessage(trySolve(makeNormal(rows, cols)));
  EXPECT_NE(message.find(format->describe()), std::string::npos) << message;
}

TEST_P(ServedFormats, SameOnEveryRunAndNumberOfThreads) {
  for (const Matrix &weights : makeMatrices()) {
    const SolverResult one = solve(weights, 1, 1);
    for (unsigned threads : {1, 4}) {
      const SolverResult other = solve(weights, 1, threads);
      EXPECT_TRUE(isIdentical(one.matrix, other.matrix));
      EXPECT_EQ(one.weightError, other.weightError);
    }
  }
}

TEST_P(ServedFormats, TellsTheErrorOfWhatIsStored) {
  for (const Matrix &weights : makeMatrices()) {
    const SolverResult result = solve(weights);
    const Matrix decoded = decodeOf(result);
    for (float value : decoded.values)
      ASSERT_TRUE(std::isfinite(value));
    const double norm = getError(weights, Matrix(weights.rows, cols), 2);
    if (!getFormatCase().roundsScalesLast)
      EXPECT_NEAR(result.weightError,
                  std::sqrt(getError(weights, decoded, 2) / norm), 1e-5);
  }
}

TEST_P(UnitFreeSolvers, PowersOfTwoGoThrough) {
  for (const Matrix &weights :
       {makeNormal(rows, cols), makeHeavyTail(rows, cols)}) {
    const Matrix decoded = decodeOf(solve(weights));
    // Smaller ones can have scales that are subnormal as f16.
    for (float factor : {2.0f, 16.0f})
      EXPECT_EQ(decodeOf(solve(scale(weights, factor), factor)).values,
                scale(decoded, factor).values)
          << factor;
  }
}

TEST_P(SymmetricFormats, SignsGoThrough) {
  for (const Matrix &weights :
       {makeNormal(rows, cols), makeHeavyTail(rows, cols)}) {
    const Matrix decoded = decodeOf(solve(weights));
    const Matrix negative = decodeOf(solve(scale(weights, -1)));
    // The sums of BCQ are rounded in other places if signs change.
    for (size_t i = 0; i < decoded.values.size(); ++i)
      ASSERT_NEAR(negative.values[i], -decoded.values[i],
                  1e-5f * (std::fabs(decoded.values[i]) + 0.1f));
  }
}

TEST_P(SearchingSolvers, NeverWorseThanRoundToNearest) {
  const std::string_view name = getSolver().name;
  // What each of them promises to make smaller. HQQ begins with whole zero
  // points at 4 bits, so that it promises nothing if they can be fractional;
  // there are none of these here.
  const double power = name == "Mse" ? 2.4 : name == "Hqq" ? 1 : 2;
  for (const Matrix &weights : makeMatrices()) {
    const SolverResult result = solve(weights);
    QuantFormatAttrInterface own = attr.adaptToMatrix(result.matrix);
    const SolverResult nearest =
        unwrap(roundToNearest(*own.getBlockFormat(), weights, minMax));
    const double error = getError(weights, decodeOf(result), power);
    const double bound =
        getError(weights, decode(*own.getBlockFormat(), nearest.matrix), power);
    EXPECT_LE(error, bound * (1 + 1e-5));
  }
}

/// "q4_K" of "#lowbit.ggml<q4_K>", letters and digits only.
// Searches that weigh errors by importance need not find the best of all, but
// are better on the whole by what they weigh. Formats that take no notice of
// importance, or do not search, are as good as without.
TEST_P(WeighingSolvers, ImportantColumnsAreStoredBetter) {
  const std::vector<float> importance = makeImportance(cols);
  const Matrix weights = makeNormal(rows, cols);
  auto getWeightedError = [&](const Matrix &decoded) {
    double error = 0;
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t col = 0; col < cols; ++col)
        error += importance[col] *
                 std::pow(double(weights(row, col)) - decoded(row, col), 2);
    return error;
  };
  const SolverResult nearest = unwrap(roundToNearest(*format, weights, minMax));
  EXPECT_LE(getWeightedError(decodeOf(solve(weights))),
            getWeightedError(decodeOf(nearest)) * (1 + 1e-6));
}

TEST_P(WeighingSolvers, ColumnsWithoutImportance) {
  const Matrix weights = makeHeavyTail(rows, cols);
  auto round = [&](llvm::ArrayRef<float> importance) {
    return unwrap(roundToNearest(*format, weights, minMax, 2, importance));
  };
  // Where nothing counts, all does.
  EXPECT_TRUE(
      isIdentical(round(std::vector<float>(cols)).matrix, round({}).matrix));
  // Some columns, and some whole blocks.
  std::vector<float> importance = makeImportance(cols);
  for (int64_t col = 0; col < cols; ++col)
    if (col % 3 == 0 || col / 32 % 2 == 1)
      importance[col] = 0;
  for (float value : decodeOf(round(importance)).values)
    ASSERT_TRUE(std::isfinite(value));
}

// All formats here represent zero, or have scales that can be.
TEST_P(ServedFormats, ZerosStayZeros) {
  const SolverResult result = solve(Matrix(rows, cols));
  EXPECT_EQ(result.weightError, 0);
  for (float value : decodeOf(result).values)
    ASSERT_EQ(value, 0);
}

} // namespace
