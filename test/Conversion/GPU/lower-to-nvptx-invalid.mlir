// RUN: not quant-opt %s --lower-to-nvptx="chip=sm_1" 2>&1 | FileCheck %s
// RUN: not quant-opt %s --lower-to-nvptx="colour=red" 2>&1 \
// RUN:   | FileCheck %s --check-prefix=OPTION

// CHECK: unknown GPU 'sm_1'; known are sm_75, sm_80
// OPTION: no such option colour
