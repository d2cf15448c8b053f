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
