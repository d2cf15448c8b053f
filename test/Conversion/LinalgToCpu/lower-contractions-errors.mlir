// RUN: not quant-opt %s -lowbit-lower-contractions="vector-bytes=24" 2>&1 \
// RUN:   | FileCheck %s --check-prefix=BYTES
// RUN: not quant-opt %s -lowbit-lower-contractions="vector-registers=8" 2>&1 \
// RUN:   | FileCheck %s --check-prefix=REGISTERS

// BYTES: error: {{.*}}vector-bytes must be 16, 32 or 64, got 24
// REGISTERS: error: {{.*}}vector-registers must be 16 or 32, got 8
func.func @main() {
  return
}
