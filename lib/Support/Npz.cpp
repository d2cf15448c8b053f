//===- Npz.cpp - numpy's archives of arrays -------------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Support/Npy.h"
#include "lowbit/Support/OutputFile.h"
#include "llvm/ADT/ScopeExit.h"
#include <zip.h>

using namespace lowbit;
using llvm::StringRef;
using llvm::Twine;

using Archive = std::unique_ptr<zip_t, decltype(&zip_discard)>;

static llvm::Expected<Archive> openArchive(StringRef path, int flags) {
  int code = 0;
  zip_t *archive = zip_open(path.str().c_str(), flags, &code);
  if (archive)
    return Archive(archive, &zip_discard);
  zip_error_t error;
  zip_error_init_with_code(&error, code);
  std::string message = zip_error_strerror(&error);
  zip_error_fini(&error);
  return makeError("cannot open '" + path + "' as an .npz archive: " + message);
}

/// More than this is no array that fits into memory but a damaged directory.
static constexpr uint64_t maxEntrySize = uint64_t(1) << 40;

static llvm::Expected<Tensor> readEntry(zip_t *archive, uint64_t index,
                                        StringRef path) {
  zip_stat_t stat;
  if (zip_stat_index(archive, index, 0, &stat) != 0 ||
      !(stat.valid & ZIP_STAT_SIZE) || !(stat.valid & ZIP_STAT_NAME) ||
      stat.size > maxEntrySize)
    return makeError("'" + path + "' has a damaged directory");
  std::string name = (path + ":" + stat.name).str();
  zip_file_t *file = zip_fopen_index(archive, index, 0);
  if (!file)
    return makeError("cannot read '" + Twine(name) +
                     "': " + zip_strerror(archive));
  auto close = llvm::make_scope_exit([&] { zip_fclose(file); });

  // The directory's size is not to be trusted with one big allocation.
  std::vector<char> content;
  constexpr size_t step = 1 << 24;
  while (content.size() < stat.size) {
    size_t old = content.size();
    content.resize(std::min<uint64_t>(stat.size, old + step));
    int64_t count = zip_fread(file, content.data() + old, content.size() - old);
    if (count <= 0)
      return makeError("'" + Twine(name) + "' is truncated or damaged");
    content.resize(old + count);
  }
  // The checksum is compared at the end of the file only.
  char end;
  if (zip_fread(file, &end, 1) != 0)
    return makeError("'" + Twine(name) + "' is truncated or damaged");
  return parseNpy(content, name);
}

llvm::Expected<NamedTensors> lowbit::readNpz(StringRef path) {
  llvm::Expected<Archive> archive = openArchive(path, ZIP_RDONLY);
  if (!archive)
    return archive.takeError();
  NamedTensors tensors;
  int64_t count = zip_get_num_entries(archive->get(), 0);
  for (int64_t index = 0; index < count; ++index) {
    llvm::Expected<Tensor> tensor = readEntry(archive->get(), index, path);
    if (!tensor)
      return tensor.takeError();
    StringRef name = zip_get_name(archive->get(), index, 0);
    name.consume_back(".npy");
    tensors.emplace_back(name, std::move(*tensor));
  }
  return tensors;
}

llvm::Error lowbit::writeNpz(StringRef path, const NamedTensors &tensors) {
  // libzip itself writes to a temporary file beside `path` and renames it.
  llvm::Expected<Archive> archive =
      openArchive(path, ZIP_CREATE | ZIP_TRUNCATE);
  if (!archive)
    return archive.takeError();
  // The archive reads the contents when it is closed.
  std::vector<std::string> contents;
  contents.reserve(tensors.size());
  for (const auto &[name, tensor] : tensors) {
    llvm::Expected<std::string> content = serializeNpy(tensor);
    if (!content)
      return content.takeError();
    contents.push_back(std::move(*content));
    zip_source_t *source =
        zip_source_buffer(archive->get(), contents.back().data(),
                          contents.back().size(), /*freep=*/0);
    int64_t index = zip_file_add(archive->get(), (name + ".npy").c_str(),
                                 source, ZIP_FL_ENC_UTF_8);
    if (index < 0) {
      zip_source_free(source);
      return makeError("cannot add '" + Twine(name) + "' to '" + path +
                       "': " + zip_strerror(archive->get()));
    }
    // As numpy.savez does: numbers hardly compress.
    zip_set_file_compression(archive->get(), index, ZIP_CM_STORE, 0);
  }
  if (zip_close(archive->get()) != 0)
    return makeError("cannot write '" + path +
                     "': " + zip_strerror(archive->get()));
  archive->release();
  return llvm::Error::success();
}
