//===- ResumeState.h - finished layers of an interrupted run -- -*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_CALIBRATION_RESUMESTATE_H
#define LOWBIT_LIB_CALIBRATION_RESUMESTATE_H

#include "lowbit/Calibration/LayerWeight.h"
#include "lowbit/Quantize/LayerSummary.h"
#include "lowbit/Support/Tensor.h"
#include <optional>

namespace lowbit {

/// A folder with the results of the layers that are done: for each a
/// safetensors file with its components and a JSON file that says what they
/// are. Results are used again only for a layer with the same weight and input,
/// by a run with the same options and data. Of a group of processes the first
/// one reads and writes, and tells the others what it has read.
class ResumeState {
public:
  /// `fingerprint` stands for the options and the calibration data.
  static llvm::Expected<ResumeState> open(llvm::StringRef folder,
                                          uint64_t fingerprint);

  struct Entry {
    SolverResult result;
    LayerSummary summary;
  };

  /// `description` is the layer's name and format. `input` is what the layer
  /// reads in one batch: it tells models apart that share the layer, but not
  /// those before it.
  std::string getLayerFingerprint(llvm::StringRef description,
                                  const LayerWeight &weight,
                                  const Tensor &input) const;

  /// What an earlier run has made of the layer; none if it did not get there.
  /// An error says why what is there is of no use.
  llvm::Expected<std::optional<Entry>>
  load(unsigned index, llvm::StringRef layerFingerprint,
       const LayerWeight &weight, QuantFormatAttrInterface format) const;
  llvm::Error save(unsigned index, llvm::StringRef layerFingerprint,
                   const Entry &entry) const;

  llvm::StringRef getFolder() const { return folder; }

private:
  ResumeState(llvm::StringRef folder, uint64_t fingerprint)
      : folder(folder), fingerprint(fingerprint) {}

  std::string getPath(unsigned index, llvm::StringRef extension) const;

  std::string folder;
  uint64_t fingerprint;
};

} // namespace lowbit

#endif // LOWBIT_LIB_CALIBRATION_RESUMESTATE_H
