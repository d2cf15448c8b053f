// RUN: quant-opt %s -split-input-file -verify-diagnostics

// expected-error @below {{bits is 9, but a uniform format has 1 to 8 bits}}
func.func private @bits() attributes {a = #lowbit.uniform<u9, group = [1, 32], scale = f16, zero = none>}

// -----

// expected-error @below {{codes of 1 bit are unsigned: signed ones would be 0 and -1, and could not hold positive values}}
func.func private @one_signed_bit() attributes {a = #lowbit.uniform<s1, group = [1, 32], scale = f16, zero = none>}

// -----

// expected-error @below {{codes must be u1 to u8 or s2 to s8, got 'i4'}}
func.func private @codes() attributes {a = #lowbit.uniform<i4, group = [1, 32], scale = f16, zero = none>}

// -----

// expected-error @below {{a group size is positive, or * for the whole dimension, got -7}}
func.func private @group() attributes {a = #lowbit.uniform<u4, group = [1, -7], scale = f16, zero = none>}

// -----

// expected-error @below {{scale must be f32, f16, bf16, f8E8M0FNU, f8E4M3FN or a number format, got f64}}
func.func private @scale() attributes {a = #lowbit.uniform<u4, group = [1, 32], scale = f64, zero = none>}

// -----

// expected-error @below {{zero must be u4, the type of the codes, f16, bf16, f32, a number format or none, got 'u8'}}
func.func private @zero() attributes {a = #lowbit.uniform<u4, group = [1, 32], scale = f16, zero = u8>}

// -----

// expected-error @below {{zero must be u4, the type of the codes, f16, bf16, f32, a number format or none, got 'f64'}}
func.func private @float_zero() attributes {a = #lowbit.uniform<u4, group = [1, 32], scale = f16, zero = f64>}

// -----

// expected-error @below {{zero must be a number format, got 4 : i64}}
func.func private @zero_attribute() attributes {a = #lowbit.uniform<u4, group = [1, 32], scale = f16, zero = 4>}

// -----

// expected-error @below {{an offset is only for scales that a format stores}}
func.func private @uniform_offset() attributes {a = #lowbit.uniform<u4, group = [1, 32], scale = f16, zero = u4, offset = f32>}

// -----

// expected-error @below {{scales are coded one by one, but ovp int4 [1, *] f16 codes 2 columns together}}
func.func private @pairs_of_scales() attributes {a = #lowbit.uniform<u4, group = [1, 32], scale = #lowbit.ovp<int4, group = [1, *], scale = f16>, zero = u4>}

// -----

// expected-error @below {{zeros are coded one by one, but ovp int4 [1, *] f16 codes 2 columns together}}
func.func private @pairs_of_zeros() attributes {a = #lowbit.uniform<u4, group = [1, 32], scale = f16, zero = #lowbit.ovp<int4, group = [1, *], scale = f16>>}

// -----

// expected-error @below {{of the scales, groups of 4 rows do not divide the 6; state the padding with 'pad'}}
func.func private @uniform_scale_rows(!lowbit.tensor<6x64xf32, #lowbit.uniform<u4, group = [1, 32], scale = #lowbit.uniform<u4, group = [4, 1], scale = f16, zero = u4>, zero = u4>>)

// -----

// expected-error @below {{of the zeros, groups of 4 rows do not divide the 6; state the padding with 'pad'}}
func.func private @uniform_zero_rows(!lowbit.tensor<6x64xf32, #lowbit.uniform<u4, group = [1, 32], scale = f16, zero = #lowbit.uniform<u4, group = [4, 1], scale = f16, zero = f16>>>)

// -----

// expected-error @below {{a narrow range is only for signed codes without zero points}}
func.func private @narrow_float() attributes {a = #lowbit.uniform<s4, group = [1, 32], scale = f16, zero = f16, narrow>}

// -----

// expected-error @below {{the panels layout is for scaled codes, as in #lowbit.uniform, and for #lowbit.float, got #lowbit.sparse_outliers<dense = #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>, count = 8, value = f16>}}
func.func private @panels(!lowbit.tensor<4x32xf32, #lowbit.sparse_outliers<dense = #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>, count = 8, value = f16>, #lowbit.panels>)

// -----

// expected-error @below {{a narrow range is only for signed codes without zero points}}
func.func private @narrow() attributes {a = #lowbit.uniform<u4, group = [1, 32], scale = f16, zero = u4, narrow>}

// -----

// expected-error @below {{expected 'offset = f32', 'narrow' or 'pad', each at most once, got 'wide'}}
func.func private @flag() attributes {a = #lowbit.uniform<u4, group = [1, 32], scale = f16, zero = u4, wide>}

// -----

// expected-error @below {{expected 'offset = f32', 'narrow' or 'pad', each at most once, got 'pad'}}
func.func private @twice() attributes {a = #lowbit.uniform<u4, group = [1, 32], scale = f16, zero = u4, pad, pad>}

// -----

// expected-error @below {{quantized tensor expresses elements of a float type, got 'i32'}}
func.func private @element(!lowbit.tensor<4x32xi32, #lowbit.uniform<u4, group = [1, 32], scale = f16, zero = none>>)

// -----

// expected-error @below {{expected a number format, got 1 : i64}}
func.func private @format(!lowbit.tensor<4x32xf32, 1>)

// -----

// expected-error @below {{expected a packed layout, got #lowbit.uniform}}
func.func private @layout(!lowbit.tensor<4x32xf32, #lowbit.uniform<u4, group = [1, 32], scale = f16, zero = none>, #lowbit.uniform<u4, group = [1, 32], scale = f16, zero = none>>)

// -----

// expected-error @below {{a uniform format stores tensors of at least one dimension, got a scalar}}
func.func private @rank(!lowbit.tensor<f32, #lowbit.uniform<u4, group = [1, *], scale = f16, zero = none>>)

// -----

// expected-error @below {{the last dimension must be static, because codes are packed along it}}
func.func private @last(!lowbit.tensor<4x?xf32, #lowbit.uniform<u4, group = [1, *], scale = f16, zero = none>>)

// -----

// expected-error @below {{the last dimension must not be empty}}
func.func private @empty(!lowbit.tensor<4x0xf32, #lowbit.uniform<u4, group = [1, *], scale = f16, zero = none>>)

// -----

// expected-error @below {{groups of 32 columns do not divide the 48; state the padding with 'pad'}}
func.func private @columns(!lowbit.tensor<4x48xf32, #lowbit.uniform<u4, group = [1, 32], scale = f16, zero = none>>)

// -----

// expected-error @below {{groups of 3 rows do not divide the 4; state the padding with 'pad'}}
func.func private @rows(!lowbit.tensor<4x32xf32, #lowbit.uniform<u4, group = [3, 32], scale = f16, zero = none>>)

// -----

// expected-error @below {{groups of 2 rows need a matrix, got 3 dimensions}}
func.func private @matrix(!lowbit.tensor<4x4x32xf32, #lowbit.uniform<u4, group = [2, 32], scale = f16, zero = none>>)

// -----

// expected-error @below {{groups of 2 rows need a static number of rows}}
func.func private @static(!lowbit.tensor<?x32xf32, #lowbit.uniform<u4, group = [2, 32], scale = f16, zero = none>>)

// -----

// expected-error @below {{floats must be f16, bf16 or f32, got 'i8'}}
func.func private @float() attributes {a = #lowbit.float<i8>}

// -----

// expected-error @below {{only a matrix can be stored transposed, got 3 dimensions}}
func.func private @transposed(!lowbit.tensor<2x3x4xf32, #lowbit.float<f32, transposed>>)

// -----

// expected-error @below {{expected 'transposed'}}
func.func private @order() attributes {a = #lowbit.float<f32, columns>}

// -----

// expected-error @below {{the type must be one of q4_0, q4_1, q5_0, q5_1, q8_0, q2_K, q3_K, q4_K, q5_K, q6_K, iq4_nl, iq4_xs, got 'q4_k'}}
func.func private @ggml_type() attributes {a = #lowbit.ggml<q4_k>}

// -----

// expected-error @below {{q6_K stores tensors of at least one dimension, got a scalar}}
func.func private @ggml_rank(!lowbit.tensor<f32, #lowbit.ggml<q6_K>>)

// -----

// expected-error @below {{the last dimension must be static, because q8_0 cuts it into blocks}}
func.func private @ggml_last(!lowbit.tensor<4x?xf32, #lowbit.ggml<q8_0>>)

// -----

// expected-error @below {{the last dimension must not be empty}}
func.func private @ggml_empty(!lowbit.tensor<4x0xf32, #lowbit.ggml<q8_0>>)

// -----

// expected-error @below {{q4_K has blocks of 256 columns, which do not divide the 288; ggml falls back to q5_0}}
func.func private @ggml_fallback(!lowbit.tensor<4x288xf32, #lowbit.ggml<q4_K>>)

// -----

// expected-error @below {{iq4_xs has blocks of 256 columns, which do not divide the 64; ggml falls back to iq4_nl}}
func.func private @ggml_table(!lowbit.tensor<4x64xf32, #lowbit.ggml<iq4_xs>>)

// -----

// expected-error @below {{q3_K has blocks of 256 columns, which do not divide the 40; no type of ggml's does, use #lowbit.float<f16>}}
func.func private @ggml_narrow(!lowbit.tensor<4x40xf32, #lowbit.ggml<q3_K>>)

// -----

// expected-error @below {{q4_0 has blocks of 32 columns, which do not divide the 40; no type of ggml's does, use #lowbit.float<f16>}}
func.func private @ggml_blocks(!lowbit.tensor<4x40xf32, #lowbit.ggml<q4_0>>)

// -----

// expected-error @below {{there is no table 'nf5'; those with a name are nf4, fp4, e2m1, e4m3, e5m2, dynamic8}}
func.func private @table() attributes {a = #lowbit.codebook<nf5, group = [1, 32], scale = f16>}

// -----

// expected-error @below {{a codebook has 2 to 16 levels, got 1}}
func.func private @one_level() attributes {a = #lowbit.codebook<[1.0], group = [1, 32], scale = f16>}

// -----

// expected-error @below {{a codebook has 2 to 16 levels, got 17}}
func.func private @many_levels() attributes {a = #lowbit.codebook<[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0, 16.0], group = [1, 32], scale = f16>}

// -----

// expected-error @below {{the levels of a codebook must be finite and ascend, but level 1 is -1 after 0}}
func.func private @order_of_levels() attributes {a = #lowbit.codebook<[0.0, -1.0], group = [1, 32], scale = f16>}

// -----

// expected-error @below {{the levels of a codebook must be finite and ascend, but level 1 is inf after 0}}
func.func private @infinite_level() attributes {a = #lowbit.codebook<[0.0, 1.0e40], group = [1, 32], scale = f16>}

// -----

// expected-error @below {{a group size is positive, or * for the whole dimension, got 0}}
func.func private @codebook_group() attributes {a = #lowbit.codebook<nf4, group = [0, 32], scale = f16>}

// -----

// expected-error @below {{scale must be f32, f16, bf16, f8E8M0FNU, f8E4M3FN or a number format, got f64}}
func.func private @codebook_scale() attributes {a = #lowbit.codebook<nf4, group = [1, 32], scale = f64>}

// -----

// expected-error @below {{scale must be f32, f16, bf16, f8E8M0FNU, f8E4M3FN or a number format, got 1 : i64}}
func.func private @codebook_scale() attributes {a = #lowbit.codebook<nf4, group = [1, 32], scale = 1>}

// -----

// expected-error @below {{an offset is only for scales that a format stores}}
func.func private @offset() attributes {a = #lowbit.codebook<nf4, group = [1, 32], scale = f16, offset = f32>}

// -----

// expected-error @below {{expected 'offset = f32' or 'pad', each at most once, got 'narrow'}}
func.func private @codebook_flag() attributes {a = #lowbit.codebook<nf4, group = [1, 32], scale = f16, narrow>}

// -----

// expected-error @below {{expected 'offset = f32' or 'pad', each at most once, got 'pad'}}
func.func private @codebook_twice() attributes {a = #lowbit.codebook<nf4, group = [1, 32], scale = f16, pad, pad>}

// -----

// expected-error @below {{expected 'f32'}}
func.func private @offset_type() attributes {a = #lowbit.codebook<nf4, group = [1, 32], scale = #lowbit.float<f16>, offset = f16>}

// -----

// expected-error @below {{a codebook format stores tensors of at least one dimension, got a scalar}}
func.func private @codebook_rank(!lowbit.tensor<f32, #lowbit.codebook<nf4, group = [1, *], scale = f16>>)

// -----

// expected-error @below {{the last dimension must be static, because codes are packed along it}}
func.func private @codebook_last(!lowbit.tensor<4x?xf32, #lowbit.codebook<nf4, group = [1, *], scale = f16>>)

// -----

// expected-error @below {{the last dimension must not be empty}}
func.func private @codebook_empty(!lowbit.tensor<4x0xf32, #lowbit.codebook<nf4, group = [1, *], scale = f16>>)

// -----

// expected-error @below {{groups of 32 columns do not divide the 48; state the padding with 'pad'}}
func.func private @codebook_columns(!lowbit.tensor<4x48xf32, #lowbit.codebook<nf4, group = [1, 32], scale = f16>>)

// -----

// expected-error @below {{groups of 3 rows do not divide the 4; state the padding with 'pad'}}
func.func private @codebook_rows(!lowbit.tensor<4x32xf32, #lowbit.codebook<nf4, group = [3, 32], scale = f16>>)

// -----

// expected-error @below {{groups of 2 rows need a matrix, got 3 dimensions}}
func.func private @codebook_matrix(!lowbit.tensor<4x4x32xf32, #lowbit.codebook<nf4, group = [2, 32], scale = f16>>)

// -----

// expected-error @below {{groups of 2 rows need a static number of rows}}
func.func private @codebook_static(!lowbit.tensor<?x32xf32, #lowbit.codebook<nf4, group = [2, 32], scale = f16>>)

// -----

// expected-error @below {{of the scales, groups of 4 rows do not divide the 6; state the padding with 'pad'}}
func.func private @scale_rows(!lowbit.tensor<6x64xf32, #lowbit.codebook<nf4, group = [1, 32], scale = #lowbit.codebook<e4m3, group = [4, 2], scale = f32>>>)

// -----

// expected-error @below {{bits is 5, but binary-coding quantization has 1 to 4 bits}}
func.func private @sign_bits() attributes {a = #lowbit.bcq<bits = 5, group = [1, 128], scale = f16>}

// -----

// expected-error @below {{scale must be f16, bf16 or f32, got 'i8'}}
func.func private @sign_scale() attributes {a = #lowbit.bcq<bits = 3, group = [1, 128], scale = i8>}

// -----

// expected-error @below {{groups of 32 columns do not divide the 48; state the padding with 'pad'}}
func.func private @sign_columns(!lowbit.tensor<4x48xf32, #lowbit.bcq<bits = 3, group = [1, 32], scale = f16>>)

// -----

// expected-error @below {{a binary-coding format stores tensors of at least one dimension, got a scalar}}
func.func private @sign_rank(!lowbit.tensor<f32, #lowbit.bcq<bits = 3, group = [1, 32], scale = f16>>)

// -----

// expected-error @below {{normal levels are int4, flint4 or int8, got 'int5'}}
func.func private @ovp_normals() attributes {a = #lowbit.ovp<int5, group = [1, *], scale = f16>}

// -----

// expected-error @below {{outliers are e2m1, e4m3 or e2m5, got 'e5m2'}}
func.func private @ovp_outliers() attributes {a = #lowbit.ovp<int8, outliers = e5m2, group = [1, *], scale = f16>}

// -----

// expected-error @below {{the outliers of flint4 are e2m1, not e4m3}}
func.func private @ovp_mixed() attributes {a = #lowbit.ovp<flint4, outliers = e4m3, group = [1, *], scale = f16>}

// -----

// expected-error @below {{groups of 5 columns cut outlier-victim pairs; an even number, or whole rows, does not}}
func.func private @ovp_group() attributes {a = #lowbit.ovp<int4, group = [1, 5], scale = f16>}

// -----

// expected-error @below {{scale must be f32, f16, bf16, f8E8M0FNU, f8E4M3FN or a number format, got i8}}
func.func private @ovp_scale() attributes {a = #lowbit.ovp<int4, group = [1, *], scale = i8>}

// -----

// expected-error @below {{an offset is only for scales that a format stores}}
func.func private @ovp_offset() attributes {a = #lowbit.ovp<int4, group = [1, *], scale = f16, offset = f32>}

// -----

// expected-error @below {{expected 'offset = f32', 'keep = left' or 'pad', each at most once, got 'keep'}}
func.func private @ovp_flag() attributes {a = #lowbit.ovp<int4, group = [1, *], scale = f16, keep = left, keep = left>}

// -----

// expected-error @below {{expected 'left'}}
func.func private @ovp_keep() attributes {a = #lowbit.ovp<int4, group = [1, *], scale = f16, keep = right>}

// -----

// expected-error @below {{scales are coded one by one, but ovp int4 [1, *] f16 codes 2 columns together}}
func.func private @ovp_nested() attributes {a = #lowbit.codebook<nf4, group = [1, 32], scale = #lowbit.ovp<int4, group = [1, *], scale = f16>>}

// -----

// expected-error @below {{a format of pairs stores tensors of at least one dimension, got a scalar}}
func.func private @ovp_rank(!lowbit.tensor<f32, #lowbit.ovp<int4, group = [1, *], scale = f16>>)

// -----

// expected-error @below {{the last dimension must be static, because codes are packed along it}}
func.func private @ovp_last(!lowbit.tensor<4x?xf32, #lowbit.ovp<int4, group = [1, *], scale = f16>>)

// -----

// expected-error @below {{pairs do not divide the 7 columns; state the padding with 'pad'}}
func.func private @ovp_odd(!lowbit.tensor<4x7xf32, #lowbit.ovp<int4, group = [1, *], scale = f16>>)

// -----

// expected-error @below {{groups of 4 columns do not divide the 6; state the padding with 'pad'}}
func.func private @ovp_columns(!lowbit.tensor<4x6xf32, #lowbit.ovp<int4, group = [1, 4], scale = f16>>)

// -----

// expected-error @below {{expected a number format, got f16}}
func.func private @outliers_dense() attributes {a = #lowbit.sparse_outliers<dense = f16, count = 1, value = f16>}

// -----

// expected-error @below {{expected 'count' or 'fraction'}}
func.func private @outliers_number() attributes {a = #lowbit.sparse_outliers<dense = #lowbit.float<f16>, number = 1, value = f16>}

// -----

// expected-error @below {{outliers must be f16, bf16 or f32, got 'i8'}}
func.func private @outliers_value() attributes {a = #lowbit.sparse_outliers<dense = #lowbit.float<f16>, count = 1, value = i8>}

// -----

// expected-error @below {{the number of outliers is -1, but must be 0 to 2147483647}}
func.func private @outliers_count() attributes {a = #lowbit.sparse_outliers<dense = #lowbit.float<f16>, count = -1, value = f16>}

// -----

// expected-error @below {{the fraction must lie in [0, 1], got 1.5}}
func.func private @outliers_fraction() attributes {a = #lowbit.sparse_outliers<dense = #lowbit.float<f16>, fraction = 1.5, value = f16>}

// -----

// expected-error @below {{the dense part must not have outliers itself, got #lowbit.sparse_outliers<}}
func.func private @outliers_twice() attributes {a = #lowbit.sparse_outliers<dense = #lowbit.sparse_outliers<dense = #lowbit.float<f16>, count = 1, value = f16>, count = 1, value = f16>}

// -----

// expected-error @below {{outliers are stored of matrices of static shape}}
func.func private @outliers_dynamic(!lowbit.tensor<?x4xf32, #lowbit.sparse_outliers<dense = #lowbit.float<f16>, count = 1, value = f16>>)

// -----

// expected-error @below {{there are 9 outliers, but the matrix has 8 elements}}
func.func private @outliers_too_many(!lowbit.tensor<2x4xf32, #lowbit.sparse_outliers<dense = #lowbit.float<f16>, count = 9, value = f16>>)

// -----

// expected-error @below {{the number of outliers must be stated, as in 'count = 2' for a fraction of 2.500000e-01}}
func.func private @outliers_uncounted(!lowbit.tensor<2x4xf32, #lowbit.sparse_outliers<dense = #lowbit.float<f16>, fraction = 0.25, value = f16>>)

// -----

// expected-error @below {{q4_0 has blocks of 32 columns, which do not divide the 4}}
func.func private @outliers_dense_shape(!lowbit.tensor<2x4xf32, #lowbit.sparse_outliers<dense = #lowbit.ggml<q4_0>, count = 1, value = f16>>)

// -----

// expected-error @below {{the pattern is 5:4, but must be N:M with 1 <= N <= M and M from 2 to 256}}
func.func private @pattern() attributes {a = #lowbit.n_of_m<5:4, values = #lowbit.float<f16>>}

// -----

// expected-error @below {{expected a number format, got f16}}
func.func private @pattern_values() attributes {a = #lowbit.n_of_m<2:4, values = f16>}

// -----

// expected-error @below {{values are coded one by one, but }}
func.func private @pattern_units() attributes {a = #lowbit.n_of_m<2:4, values = #lowbit.ovp<int4, group = [1, *], scale = f16>>}

// -----

// expected-error @below {{of the values, groups of 16 columns do not divide the 24; state the padding with 'pad'}}
func.func private @pattern_padding(!lowbit.tensor<2x48xf32, #lowbit.n_of_m<2:4, values = #lowbit.uniform<s4, group = [1, 16], scale = f16, zero = none>>>)

// -----

// expected-error @below {{groups of 3 values do not hold whole blocks of 2}}
func.func private @pattern_cut(!lowbit.tensor<2x48xf32, #lowbit.n_of_m<2:4, values = #lowbit.uniform<s4, group = [1, 3], scale = f16, zero = none>>>)

// -----

// expected-error @below {{the values must not be N:M themselves, got #lowbit.n_of_m<1:2, values = #lowbit.float<f16>>}}
func.func private @pattern_twice(!lowbit.tensor<2x8xf32, #lowbit.n_of_m<2:4, values = #lowbit.n_of_m<1:2, values = #lowbit.float<f16>>>>)

// -----

// expected-error @below {{the last dimension must be static, because it is cut into blocks}}
func.func private @pattern_dynamic(!lowbit.tensor<2x?xf32, #lowbit.n_of_m<2:4, values = #lowbit.float<f16>>>)
