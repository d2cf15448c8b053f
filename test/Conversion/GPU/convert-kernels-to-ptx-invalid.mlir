// RUN: quant-opt %s --convert-kernels-to-ptx -split-input-file -verify-diagnostics

// expected-error @below {{must have one #nvvm.target; --nvvm-attach-target gives it}}
gpu.module @without {
}

// -----

// expected-error @below {{must have one #nvvm.target; --nvvm-attach-target gives it}}
gpu.module @two [#nvvm.target<chip = "sm_80">, #nvvm.target<chip = "sm_90">] {
}

// -----

// expected-error @below {{Failed creating the llvm::Module}}
gpu.module @kernels [#nvvm.target<chip = "sm_80">] {
  // expected-error @below {{cannot be converted to LLVM IR}}
  func.func private @host()
}
