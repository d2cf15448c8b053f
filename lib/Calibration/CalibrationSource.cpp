//===- CalibrationSource.cpp - where calibration data comes from ----------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CalibrationSource.h"
#include "lowbit/Support/Npy.h"
#include "lowbit/Support/OutputFile.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Program.h"
#include <cstdlib>
#include <cstring>
#include <numeric>
#include <random>

using namespace lowbit;
using llvm::StringRef;
using llvm::Twine;

llvm::Expected<InputSource> lowbit::parseInputSource(llvm::StringRef text) {
  std::optional<InputSource> source =
      llvm::StringSwitch<std::optional<InputSource>>(text)
          .Case("layer", InputSource::Layer)
          .Case("block", InputSource::Block)
          .Case("float", InputSource::Float)
          .Default(std::nullopt);
  if (!source)
    return makeError("inputs is '" + text +
                     "', but must be layer, block or float");
  return *source;
}

llvm::Error CalibrationOptions::check() const {
  if (samples < 0)
    return makeError("samples is " + Twine(samples) +
                     ", but must be positive, or 0 for all");
  if (length < 2)
    return makeError("length is " + Twine(length) + ", but must be at least 2");
  if (sampling != "even" && sampling != "random")
    return makeError("sampling is '" + sampling +
                     "', but must be even or random");
  const bool isText = !calibration.empty() &&
                      !StringRef(calibration).ends_with(".npy") &&
                      !StringRef(calibration).ends_with(".npz");
  if (isText && tokenizer.empty())
    return makeError("calibration file '" + calibration +
                     "' is neither .npy nor .npz; for text, name its tokenizer "
                     "with tokenizer=");
  if (!isText && !tokenizer.empty())
    return makeError(calibration.empty()
                         ? "tokenizer is given, but no text to calibrate on"
                         : "tokenizer is given, but calibration file '" +
                               calibration + "' is no text");
  return llvm::Error::success();
}

/// The last line of what a program said, without its name.
static std::string getMessage(StringRef path) {
  auto buffer = llvm::MemoryBuffer::getFile(path);
  if (!buffer)
    return "";
  StringRef text = (*buffer)->getBuffer().rtrim();
  text = text.rsplit('\n').second.empty() ? text : text.rsplit('\n').second;
  text.consume_front("lowbit: error: ");
  return text.str();
}

/// Windows of tokens [windows, length]. The Python package cuts them: the
/// libraries that know all kinds of tokenizers are Python's.
static llvm::Expected<Tensor> tokenize(const CalibrationOptions &options) {
  const char *named = std::getenv("LOWBIT_PYTHON");
  const StringRef program = named ? named : "python3";
  llvm::ErrorOr<std::string> python = llvm::sys::findProgramByName(program);
  if (!python)
    return makeError("text is cut into tokens by Python, but there is no '" +
                     program +
                     "'; name it in the environment variable LOWBIT_PYTHON");
  llvm::SmallString<128> tokens, messages;
  auto remove = llvm::make_scope_exit([&] {
    for (StringRef path : {tokens.str(), messages.str()})
      if (!path.empty())
        llvm::sys::fs::remove(path);
  });
  std::error_code error =
      llvm::sys::fs::createTemporaryFile("lowbit-tokens", "npy", tokens);
  if (!error)
    error =
        llvm::sys::fs::createTemporaryFile("lowbit-messages", "txt", messages);
  if (error)
    return makeError("cannot make a temporary file for tokens: " +
                     error.message());
  // An installed package, or else that of the source tree.
  const std::string start =
      "import sys; sys.path.append(r'" LOWBIT_PYTHON_DIR
      "'); from lowbit.__main__ import main; sys.exit(main())";
  const std::string length = std::to_string(options.length);
  const StringRef arguments[] = {*python,
                                 "-c",
                                 start,
                                 "tokenize",
                                 options.calibration,
                                 "--tokenizer",
                                 options.tokenizer,
                                 "--length",
                                 length,
                                 "-o",
                                 tokens};
  const std::optional<StringRef> redirects[] = {StringRef(), StringRef(""),
                                                messages.str()};
  std::string message;
  const int status = llvm::sys::ExecuteAndWait(
      *python, arguments, /*Env=*/std::nullopt, redirects,
      /*SecondsToWait=*/0, /*MemoryLimit=*/0, &message);
  if (status != 0) {
    const std::string said = getMessage(messages);
    return makeError("cannot cut calibration file '" + options.calibration +
                     "' into tokens: " +
                     (!said.empty()      ? said
                      : !message.empty() ? message
                                         : (program + " failed").str()));
  }
  return readNpy(tokens);
}

/// `count` indices below `available`, in their order.
static std::vector<int64_t> chooseIndices(int64_t available, int64_t count,
                                          bool random, uint64_t seed) {
  std::vector<int64_t> chosen(random ? available : count);
  std::iota(chosen.begin(), chosen.end(), 0);
  if (!random) {
    for (int64_t &index : chosen)
      index = index * available / count;
    return chosen;
  }
  // The standard fixes the sequence of this generator, but not what shuffling
  // makes of it.
  std::mt19937_64 generator(seed);
  for (int64_t i = 0; i < count; ++i)
    std::swap(chosen[i],
              chosen[i + static_cast<int64_t>(generator() % (available - i))]);
  chosen.resize(count);
  llvm::sort(chosen);
  return chosen;
}

/// The chosen slices along the first axis.
static Tensor gather(const Tensor &samples, llvm::ArrayRef<int64_t> indices) {
  llvm::SmallVector<int64_t> shape(samples.getShape());
  const uint64_t bytes = samples.getByteSize() / shape[0];
  shape[0] = indices.size();
  Tensor chosen(samples.getType(), shape);
  for (auto [i, index] : llvm::enumerate(indices))
    std::memcpy(chosen.getBytes() + i * bytes,
                samples.getBytes() + index * bytes, bytes);
  return chosen;
}

static llvm::Expected<NamedTensors>
readFile(const CalibrationOptions &options) {
  StringRef path = options.calibration;
  if (path.ends_with(".npz"))
    return readNpz(path);
  llvm::Expected<Tensor> samples =
      path.ends_with(".npy") ? readNpy(path) : tokenize(options);
  if (!samples)
    return samples.takeError();
  return NamedTensors{{"", std::move(*samples)}};
}

llvm::Expected<NamedTensors>
lowbit::readSamples(const CalibrationOptions &options) {
  llvm::Expected<NamedTensors> all = readFile(options);
  if (!all || options.samples == 0)
    return all;
  // What is no samples, or not of one number, is reported where the model is
  // known.
  auto getCount = [](const Tensor &tensor) {
    return tensor.getRank() == 0 ? 0 : tensor.getShape()[0];
  };
  for (const auto &[name, tensor] : *all)
    if (getCount(tensor) != getCount(all->front().second) ||
        getCount(tensor) <= options.samples)
      return all;
  for (auto &[name, tensor] : *all)
    tensor = gather(tensor,
                    chooseIndices(getCount(tensor), options.samples,
                                  options.sampling == "random", options.seed));
  return all;
}
