// RUN: quant-opt %s -split-input-file -verify-diagnostics

func.func @length(%acc: vector<4xi32>, %a: vector<8xi8>) -> vector<4xi32> {
  // expected-error @below {{takes four 8-bit elements for each 32-bit lane: 'vector<4xi32>' goes with vector<16xi8>, got 'vector<8xi8>'}}
  %0 = qvec.dot %acc, %a, %a : vector<4xi32>, vector<8xi8>
  return %0 : vector<4xi32>
}

// -----

func.func @bound(%acc: vector<4xi32>, %a: vector<16xi8>) -> vector<4xi32> {
  // expected-error @below {{lhs_max must be from 1 to 255, got 256}}
  %0 = qvec.dot %acc, %a, %a {lhs_max = 256 : i32} : vector<4xi32>, vector<16xi8>
  return %0 : vector<4xi32>
}

// -----

func.func @scalable(%acc: vector<[4]xi32>, %a: vector<[16]xi8>) -> vector<[4]xi32> {
  // expected-error @below {{takes vectors of fixed length}}
  %0 = qvec.dot %acc, %a, %a : vector<[4]xi32>, vector<[16]xi8>
  return %0 : vector<[4]xi32>
}

// -----

func.func @narrow_indices(%table: vector<16xf32>, %indices: vector<16xi8>) {
  // expected-error @below {{takes indices as wide as the entries of 'vector<16xf32>', got 'vector<16xi8>'}}
  %0 = qvec.lookup %table, %indices : vector<16xf32>, vector<16xi8>
  return
}

// -----

func.func @few_indices(%table: vector<16xi8>, %indices: vector<8xi8>) {
  // expected-error @below {{takes a multiple of 16 indices, got 'vector<8xi8>'}}
  %0 = qvec.lookup %table, %indices : vector<16xi8>, vector<8xi8>
  return
}

// -----

func.func @short_table(%table: vector<8xi8>, %indices: vector<16xi8>) {
  // expected-error @below {{operand #0 must be vector of 8-bit signless integer or 32-bit float values of length 16, but got 'vector<8xi8>'}}
  %0 = qvec.lookup %table, %indices : vector<8xi8>, vector<16xi8>
  return
}
