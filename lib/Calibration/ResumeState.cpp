//===- ResumeState.cpp - finished layers of an interrupted run ------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ResumeState.h"
#include "lowbit/Support/OutputFile.h"
#include "lowbit/Support/SafeTensors.h"
#include "lowbit/Support/WeightWriter.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/xxhash.h"

using namespace lowbit;

llvm::Expected<ResumeState> ResumeState::open(llvm::StringRef folder,
                                              uint64_t fingerprint) {
  if (!folder.empty())
    if (std::error_code error = llvm::sys::fs::create_directories(folder))
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

std::string ResumeState::getFingerprint(llvm::StringRef name,
                                        const LayerWeight &weight) const {
  llvm::ArrayRef<char> bytes = weight.getBytes();
  const uint64_t content = llvm::xxh3_64bits(llvm::ArrayRef(
      reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size()));
  return llvm::formatv("{0:x16}-{1:x16}-{2:x16}", fingerprint,
                       llvm::xxh3_64bits(name), content);
}

std::optional<ResumeState::Entry>
ResumeState::load(unsigned index, llvm::StringRef name,
                  const LayerWeight &weight, const BlockFormat &format) const {
  if (folder.empty())
    return std::nullopt;
  auto text = llvm::MemoryBuffer::getFile(getPath(index, ".json"));
  auto data = llvm::MemoryBuffer::getFile(getPath(index, ".safetensors"));
  if (!text || !data)
    return std::nullopt;
  // Files that cannot be read are as good as none: the layer is solved again.
  auto ignore = [](llvm::Error error) {
    llvm::consumeError(std::move(error));
    return std::nullopt;
  };
  llvm::Expected<llvm::json::Value> json =
      llvm::json::parse((*text)->getBuffer());
  if (!json)
    return ignore(json.takeError());
  const llvm::json::Object *object = json->getAsObject();
  const llvm::json::Value *summary = object ? object->get("summary") : nullptr;
  const llvm::json::Array *order =
      object ? object->getArray("column_order") : nullptr;
  if (!summary || !order ||
      object->getString("fingerprint") != getFingerprint(name, weight))
    return std::nullopt;

  Entry entry;
  llvm::Expected<LayerSummary> parsed = parseLayerSummary(*summary);
  if (!parsed)
    return ignore(parsed.takeError());
  entry.summary = std::move(*parsed);
  for (const llvm::json::Value &column : *order)
    entry.result.columnOrder.push_back(column.getAsInteger().value_or(0));
  entry.result.weightError = entry.summary.weightError;
  entry.result.outputError = entry.summary.outputError;

  llvm::StringRef content = (*data)->getBuffer();
  llvm::Expected<SafeTensorsIndex> tensors = parseSafeTensors(
      llvm::ArrayRef(content.data(), content.size()), getPath(index, ""));
  if (!tensors)
    return ignore(tensors.takeError());
  QuantizedMatrix &matrix = entry.result.matrix;
  matrix.rows = weight.getMatrix().getRows();
  matrix.cols = weight.getMatrix().getCols();
  for (const ComponentSpec &spec :
       format.getComponents(matrix.rows, matrix.cols)) {
    auto found = tensors->find(spec.name);
    if (found == tensors->end() ||
        static_cast<int64_t>(found->second.length) != spec.getByteSize())
      return std::nullopt;
    const auto *bytes = reinterpret_cast<const uint8_t *>(content.data()) +
                        found->second.offset;
    matrix.components.push_back(
        {spec, std::vector<uint8_t>(bytes, bytes + spec.getByteSize())});
  }
  return entry;
}

static llvm::StringRef getSafeTensorsName(ElementType type) {
  switch (type) {
  case ElementType::F16:
    return "F16";
  case ElementType::BF16:
    return "BF16";
  case ElementType::F32:
    return "F32";
  default:
    return "I8";
  }
}

llvm::Error ResumeState::save(unsigned index, const LayerWeight &weight,
                              const SolverResult &result,
                              const LayerSummary &summary) const {
  if (folder.empty())
    return llvm::Error::success();
  llvm::Expected<std::unique_ptr<WeightWriter>> writer =
      WeightWriter::create(getPath(index, ".safetensors"));
  if (!writer)
    return writer.takeError();
  for (const Component &component : result.matrix.components) {
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

  // This file comes last: it says that the other one is whole.
  llvm::Expected<OutputFile> file = OutputFile::create(getPath(index, ".json"));
  if (!file)
    return file.takeError();
  llvm::json::Array order;
  for (int64_t column : result.columnOrder)
    order.push_back(column);
  llvm::json::Value summaries = toJSON(summary);
  file->os() << llvm::json::Value(
      llvm::json::Object{{"fingerprint", getFingerprint(summary.name, weight)},
                         {"summary", std::move((*summaries.getAsArray())[0])},
                         {"column_order", std::move(order)}});
  return file->commit();
}
