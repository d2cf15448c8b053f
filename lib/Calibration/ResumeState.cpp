//===- ResumeState.cpp - finished layers of an interrupted run ------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ResumeState.h"
#include "lowbit/Support/OutputFile.h"
#include "lowbit/Support/ProcessGroup.h"
#include "lowbit/Support/SafeTensors.h"
#include "lowbit/Support/WeightWriter.h"
#include "llvm/ADT/SmallBitVector.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/xxhash.h"

using namespace lowbit;

llvm::Expected<ResumeState> ResumeState::open(llvm::StringRef folder,
                                              uint64_t fingerprint) {
  if (!ProcessGroup::get().isFirst())
    return ResumeState(folder, fingerprint);
  std::error_code error = llvm::sys::fs::create_directories(folder);
  if (!error && !llvm::sys::fs::is_directory(folder))
    error = std::make_error_code(std::errc::not_a_directory);
  if (error)
    return makeError("cannot make the folder '" + folder +
                     "' for the state of the run: " + error.message());
  return ResumeState(folder, fingerprint);
}

std::string ResumeState::getPath(unsigned index,
                                 llvm::StringRef extension) const {
  llvm::SmallString<128> path(folder);
  llvm::sys::path::append(path, "layer-" + llvm::Twine(index) + extension);
  return path.str().str();
}

static uint64_t hash(const char *bytes, size_t size) {
  return llvm::xxh3_64bits(
      llvm::ArrayRef(reinterpret_cast<const uint8_t *>(bytes), size));
}

std::string ResumeState::getLayerFingerprint(llvm::StringRef description,
                                             const LayerWeight &weight,
                                             const Tensor &input) const {
  llvm::ArrayRef<char> bytes = weight.getBytes();
  return llvm::formatv("{0:x16}-{1:x16}-{2:x16}-{3:x16}", fingerprint,
                       llvm::xxh3_64bits(description),
                       hash(bytes.data(), bytes.size()),
                       hash(input.getBytes(), input.getByteSize()));
}

/// The order in which a result stores `cols` columns; empty for their own.
static llvm::Expected<std::vector<int64_t>>
parseColumnOrder(const llvm::json::Array &array, int64_t cols) {
  std::vector<int64_t> order;
  llvm::SmallBitVector seen(cols);
  for (const llvm::json::Value &value : array) {
    const int64_t column = value.getAsInteger().value_or(-1);
    if (column < 0 || column >= cols || seen.test(column))
      return makeError("its column order is no permutation");
    seen.set(column);
    order.push_back(column);
  }
  if (!order.empty() && static_cast<int64_t>(order.size()) != cols)
    return makeError("its column order is no permutation");
  return order;
}

/// Reads what the JSON file of a layer says of it.
static llvm::Expected<ResumeState::Entry>
parseEntry(llvm::StringRef text, llvm::StringRef layerFingerprint,
           int64_t cols) {
  llvm::Expected<llvm::json::Value> json = llvm::json::parse(text);
  if (!json)
    return json.takeError();
  const llvm::json::Object *object = json->getAsObject();
  const llvm::json::Value *summary = object ? object->get("summary") : nullptr;
  const llvm::json::Array *order =
      object ? object->getArray("column_order") : nullptr;
  if (!summary || !order)
    return makeError("it is not the state of a layer");
  if (object->getString("fingerprint") != layerFingerprint)
    return makeError("it is of another model, other options or other "
                     "calibration data");

  ResumeState::Entry entry;
  llvm::Expected<LayerSummary> parsed = parseLayerSummary(*summary);
  if (!parsed)
    return parsed.takeError();
  entry.summary = std::move(*parsed);
  llvm::Expected<std::vector<int64_t>> columns = parseColumnOrder(*order, cols);
  if (!columns)
    return columns.takeError();
  entry.result.columnOrder = std::move(*columns);
  entry.result.weightError = entry.summary.weightError;
  entry.result.outputError = entry.summary.outputError;
  return entry;
}

llvm::Expected<std::optional<ResumeState::Entry>>
ResumeState::load(unsigned index, llvm::StringRef layerFingerprint,
                  const LayerWeight &weight,
                  QuantFormatAttrInterface format) const {
  const std::string textPath = getPath(index, ".json");
  llvm::ErrorOr<std::string> text = ProcessGroup::get().readForAll(textPath);
  if (text.getError() == std::errc::no_such_file_or_directory)
    return std::nullopt;
  if (!text)
    return makeError("'" + textPath + "': " + text.getError().message());
  const ConstMatrixView values = weight.getMatrix();
  llvm::Expected<Entry> entry =
      parseEntry(*text, layerFingerprint, values.getCols());
  if (!entry)
    return makeError("'" + textPath +
                     "': " + llvm::toString(entry.takeError()));

  const std::string dataPath = getPath(index, ".safetensors");
  llvm::ErrorOr<std::string> data = ProcessGroup::get().readForAll(dataPath);
  if (!data)
    return makeError("'" + dataPath + "': " + data.getError().message());
  llvm::StringRef content = *data;
  llvm::Expected<SafeTensorsIndex> tensors = parseSafeTensors(
      llvm::ArrayRef(content.data(), content.size()), dataPath);
  if (!tensors)
    return tensors.takeError();
  QuantizedMatrix &matrix = entry->result.matrix;
  matrix.rows = values.getRows();
  matrix.cols = values.getCols();
  auto makeSizeError = [&](llvm::StringRef name) {
    return makeError("'" + dataPath + "': the " + name +
                     " are missing, or of another size");
  };
  for (ComponentSpec spec :
       format.getBlockFormat()->getComponents(matrix.rows, matrix.cols)) {
    auto found = tensors->find(spec.name);
    if (found == tensors->end() ||
        found->second.shape.size() != spec.shape.size())
      return makeSizeError(spec.name);
    // How many outliers there are, say, is up to the solver.
    spec.shape.assign(found->second.shape.begin(), found->second.shape.end());
    const auto *bytes = reinterpret_cast<const uint8_t *>(content.data()) +
                        found->second.offset;
    matrix.components.push_back(
        {spec, std::vector<uint8_t>(bytes, bytes + found->second.length)});
  }
  const auto stored = format.adaptToMatrix(matrix).getBlockFormat();
  for (auto [component, spec] :
       llvm::zip_equal(matrix.components,
                       stored->getComponents(matrix.rows, matrix.cols))) {
    if (component.spec.shape != spec.shape ||
        static_cast<int64_t>(component.bytes.size()) != spec.getByteSize())
      return makeSizeError(spec.name);
  }
  return std::move(*entry);
}

static llvm::StringRef getSafeTensorsName(ElementType type) {
  switch (type) {
  case ElementType::F16:
    return "F16";
  case ElementType::BF16:
    return "BF16";
  case ElementType::F32:
    return "F32";
  case ElementType::I16:
    return "I16";
  case ElementType::I32:
    return "I32";
  default:
    return "I8";
  }
}

llvm::Error ResumeState::save(unsigned index, llvm::StringRef layerFingerprint,
                              const Entry &entry) const {
  if (!ProcessGroup::get().isFirst())
    return llvm::Error::success();
  // This file comes last: it says that the other one is whole. One of another
  // run must not say so of what is written now.
  const std::string textPath = getPath(index, ".json");
  if (std::error_code error = llvm::sys::fs::remove(textPath))
    return makeError("cannot replace '" + textPath + "': " + error.message());

  llvm::Expected<std::unique_ptr<WeightWriter>> writer =
      WeightWriter::create(getPath(index, ".safetensors"));
  if (!writer)
    return writer.takeError();
  for (const Component &component : entry.result.matrix.components) {
    llvm::ArrayRef<char> bytes(
        reinterpret_cast<const char *>(component.bytes.data()),
        component.bytes.size());
    if (llvm::Error error = (*writer)->write(
            component.spec.name, getSafeTensorsName(component.spec.type),
            component.spec.shape, bytes))
      return error;
  }
  if (llvm::Error error = (*writer)->commit())
    return error;

  llvm::Expected<OutputFile> file = OutputFile::create(textPath);
  if (!file)
    return file.takeError();
  llvm::json::Value summaries = toJSON(entry.summary);
  file->os() << llvm::json::Value(
      llvm::json::Object{{"fingerprint", layerFingerprint},
                         {"summary", std::move((*summaries.getAsArray())[0])},
                         {"column_order", entry.result.columnOrder}});
  return file->commit();
}
