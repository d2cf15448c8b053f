// RUN: not quant-opt %s --data-free-smooth=alpha=1.5 2>&1 | FileCheck %s --check-prefix=ALPHA
// RUN: not quant-opt %s --data-free-smooth=alpha=nan 2>&1 | FileCheck %s --check-prefix=NAN
// RUN: not quant-opt %s --data-free-smooth=deviations=0 2>&1 | FileCheck %s --check-prefix=DEVIATIONS

// ALPHA: data-free-smooth: alpha is 1.5{{.*}}, but must be from 0 to 1
// NAN: data-free-smooth: alpha is {{.*}}, but must be from 0 to 1
// DEVIATIONS: data-free-smooth: deviations is 0{{.*}}, but must be positive

func.func @empty() {
  return
}
