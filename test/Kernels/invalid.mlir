// RUN: not quant-opt %s --lowbit-pack-weights="target=avr" 2>&1 | FileCheck %s --check-prefix=TARGET
// RUN: not quant-opt %s --lowbit-generate-kernels="target=avr" 2>&1 | FileCheck %s --check-prefix=TARGET

// TARGET: error: unknown target 'avr': expected avx2, avx512vnni, amx, neon, i8mm, sve or sve-i8mm{{$}}
