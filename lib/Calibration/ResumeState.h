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
#include <optional>

namespace lowbit {

/// A folder with the results of the layers that are done: for each a
/// safetensors file with its components and a JSON file that says what they
/// are. Results are used again only by a run with the same options, data and
/// weights.
class ResumeState {
public:
  /// `fingerprint` stands for the options and the calibration data. An empty
  /// `folder` keeps no state.
  static llvm::Expected<ResumeState> open(llvm::StringRef folder,
                                          uint64_t fingerprint);

  struct Entry {
    SolverResult result;
    LayerSummary summary;
  };

  /// What an earlier run has made of the layer; none if it did not get there,
  /// or was another run.
  std::optional<Entry> load(unsigned index, llvm::StringRef name,
                            const LayerWeight &weight,
                            const BlockFormat &format) const;
  llvm::Error save(unsigned index, const LayerWeight &weight,
                   const SolverResult &result,
                   const LayerSummary &summary) const;

private:
  ResumeState(llvm::StringRef folder, uint64_t fingerprint)
      : folder(folder), fingerprint(fingerprint) {}

  std::string getPath(unsigned index, llvm::StringRef extension) const;
  std::string getFingerprint(llvm::StringRef name,
                             const LayerWeight &weight) const;

  std::string folder;
  uint64_t fingerprint;
};

} // namespace lowbit

#endif // LOWBIT_LIB_CALIBRATION_RESUMESTATE_H
