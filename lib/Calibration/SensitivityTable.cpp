//===- SensitivityTable.cpp - measured sensitivities in a file ------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SensitivityTable.h"
#include "lowbit/Calibration/LayerWeight.h"
#include "lowbit/Support/Json.h"
#include "lowbit/Support/OutputFile.h"
#include "lowbit/Support/ProcessGroup.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/xxhash.h"
#include <cmath>

using namespace mlir;
using namespace lowbit;

static std::string getHash(ArrayRef<char> bytes) {
  return llvm::utohexstr(
      llvm::xxh3_64bits(ArrayRef(
          reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size())),
      /*LowerCase=*/true);
}

/// Which samples they are.
static llvm::Expected<std::string>
describeSamples(ArrayRef<SensitivityTask> tasks,
                const CalibrationOptions &options) {
  if (options.calibration.empty())
    return llvm::formatv("generated, samples={0} length={1} seed={2}",
                         options.samples, options.length, options.seed)
        .str();
  QuantizableOpInterface op = tasks.front().layer.op;
  llvm::Expected<CalibrationData> data =
      getCalibrationData(op->getParentOfType<func::FuncOp>(), options);
  if (!data)
    return data.takeError();
  return data->getSamples().describe() + ", hash " +
         llvm::utohexstr(data->getFingerprint(), /*LowerCase=*/true);
}

static std::string spell(QuantFormatAttrInterface format) {
  if (!format)
    return LowbitDialect::keepFloat.str();
  std::string text;
  llvm::raw_string_ostream(text) << format;
  return text;
}

llvm::Expected<SensitivityTable>
SensitivityTable::get(StringRef path, ArrayRef<SensitivityTask> tasks,
                      const SensitivityOptions &options) {
  SensitivityTable table(path, tasks);
  llvm::Expected<std::string> samples = describeSamples(tasks, options.data);
  if (!samples)
    return samples.takeError();
  table.measured = {{"sensitivity", options.measure},
                    {"solver", options.solver},
                    {"range", options.range},
                    {"calibration", *samples},
                    {"kl-samples", std::to_string(options.klSamples)}};
  for (const SensitivityTask &task : tasks) {
    llvm::Expected<LayerWeight> weight = LayerWeight::get(task.layer.op);
    if (!weight)
      return makeError("cannot measure layer '" + task.layer.name +
                       "': " + llvm::toString(weight.takeError()));
    table.weights.push_back(getHash(weight->getBytes()));
    weight->release();
  }
  return table;
}

llvm::Error SensitivityTable::fail(const llvm::Twine &why) const {
  return makeError("table '" + path + "' " + why +
                   "; remove it or name another one");
}

llvm::Expected<std::vector<std::vector<double>>>
SensitivityTable::parse(const llvm::json::Value &value) const {
  const llvm::json::Object *object = value.getAsObject();
  const llvm::json::Object *how =
      object ? object->getObject("measured") : nullptr;
  const llvm::json::Array *layers =
      object ? object->getArray("layers") : nullptr;
  if (!how || !layers)
    return fail("is no table of sensitivities");
  for (const auto &[name, value] : measured) {
    const std::optional<StringRef> other = how->getString(name);
    if (other != StringRef(value))
      return fail("was measured with " + name + "='" + other.value_or("") +
                  "', not '" + value + "'");
  }
  llvm::StringMap<const llvm::json::Object *> byName;
  for (const llvm::json::Value &layer : *layers)
    if (const llvm::json::Object *entry = layer.getAsObject())
      if (std::optional<StringRef> name = entry->getString("layer"))
        byName[*name] = entry;

  std::vector<std::vector<double>> errors;
  for (auto [task, weight] : llvm::zip_equal(tasks, weights)) {
    const llvm::json::Object *entry = byName.lookup(task.layer.name);
    if (!entry)
      return fail("is of another model: it has no layer '" + task.layer.name +
                  "'");
    if (entry->getString("weight") != StringRef(weight))
      return fail("is of another model: layer '" + task.layer.name +
                  "' has another weight");
    const llvm::json::Object *known = entry->getObject("errors");
    errors.emplace_back();
    for (QuantFormatAttrInterface format : task.formats) {
      const std::string name = spell(format);
      const std::optional<double> error =
          known ? known->getNumber(name) : std::nullopt;
      if (!error)
        return fail("was measured for other candidates: it has no " + name +
                    " for layer '" + task.layer.name + "'");
      if (!std::isfinite(*error))
        return fail("has an error that is not finite, of " + name +
                    " for layer '" + task.layer.name + "'");
      errors.back().push_back(*error);
    }
  }
  return errors;
}

llvm::Expected<std::optional<std::vector<std::vector<double>>>>
SensitivityTable::load() const {
  llvm::ErrorOr<std::string> text = ProcessGroup::get().readForAll(path);
  if (text.getError() == std::errc::no_such_file_or_directory)
    return std::nullopt;
  if (!text)
    return makeError("cannot read table '" + path +
                     "': " + text.getError().message());
  llvm::Expected<llvm::json::Value> json = parseJson(*text);
  if (!json)
    return makeError("cannot read table '" + path +
                     "': " + llvm::toString(json.takeError()));
  return parse(*json);
}

llvm::Error SensitivityTable::save(ArrayRef<std::vector<double>> errors) const {
  llvm::json::Object how;
  for (const auto &[name, value] : measured)
    how[name] = value;
  llvm::json::Array layers;
  for (auto [task, weight, all] : llvm::zip_equal(tasks, weights, errors)) {
    llvm::json::Object byFormat;
    for (auto [format, error] : llvm::zip_equal(task.formats, all))
      byFormat[spell(format)] = error;
    layers.push_back(llvm::json::Object{{"layer", task.layer.name},
                                        {"weight", weight},
                                        {"errors", std::move(byFormat)}});
  }
  llvm::Expected<OutputFile> file = OutputFile::create(path);
  if (!file)
    return file.takeError();
  file->os() << llvm::formatv("{0:2}\n", llvm::json::Value(llvm::json::Object{
                                             {"measured", std::move(how)},
                                             {"layers", std::move(layers)}}));
  return file->commit();
}
