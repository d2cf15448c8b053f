// RUN: quant-opt %s -lowbit-emit-entry -split-input-file -verify-diagnostics

// expected-error @below {{entry is 'main', but the module has no such function to call from lowbit_entry}}
module {
  func.func @other() {
    return
  }
}

// -----

// expected-error @below {{must take and return ranked tensors only to be called from lowbit_entry, got 'index'}}
func.func @main(%x: index) {
  return
}
