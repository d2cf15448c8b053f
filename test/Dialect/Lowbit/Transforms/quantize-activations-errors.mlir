// RUN: not quant-opt %s --quantize-activations="bits=9" 2>&1 | FileCheck %s --check-prefix=BITS
// RUN: not quant-opt %s --quantize-activations="granularity=tensor" 2>&1 | FileCheck %s --check-prefix=GRANULARITY
// RUN: not quant-opt %s --quantize-activations="include=(q" 2>&1 | FileCheck %s --check-prefix=REGEX

// BITS: error: {{.*}}quantize-activations: bits is 9, but must be 2 to 8
// GRANULARITY: error: {{.*}}quantize-activations: granularity is 'tensor', but must be 'group' or 'row'
// REGEX: error: {{.*}}quantize-activations: include is '(q', which is no regular expression: parentheses not balanced
