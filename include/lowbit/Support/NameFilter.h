//===- NameFilter.h - names that a user includes or excludes -- -*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_SUPPORT_NAMEFILTER_H
#define LOWBIT_SUPPORT_NAMEFILTER_H

#include "llvm/Support/Error.h"
#include "llvm/Support/Regex.h"
#include <optional>

namespace lowbit {

/// Two regular expressions that a part of a name has to match, or must not.
class NameFilter {
public:
  /// An empty expression is no condition. The message names the option whose
  /// expression is malformed.
  static llvm::Expected<NameFilter> get(llvm::StringRef include,
                                        llvm::StringRef exclude);

  bool matches(llvm::StringRef name) const {
    return !(include && !include->match(name)) &&
           !(exclude && exclude->match(name));
  }

private:
  std::optional<llvm::Regex> include, exclude;
};

} // namespace lowbit

#endif // LOWBIT_SUPPORT_NAMEFILTER_H
