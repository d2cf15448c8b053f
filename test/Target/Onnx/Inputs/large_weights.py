"""Prints a model, as text, with a large weight in each way of storing one."""

print("""
ir_version: 8
opset_import { version: 17 }
graph {
  initializer { name: "external" dims: [128, 128] data_type: 1
    data_location: EXTERNAL
    external_data { key: "location" value: "weights.bin" }
    external_data { key: "offset" value: "256" }
    external_data { key: "length" value: "65536" } }
  initializer { name: "small" dims: 2 data_type: 6
    data_location: EXTERNAL
    external_data { key: "location" value: "weights.bin" } }""")
print('  initializer { name: "raw" dims: 16384 data_type: 1 raw_data: "%s" }'
      % ("\\001" * 65536))
print('  initializer { name: "list" dims: 16384 data_type: 1 float_data: [%s] }'
      % ", ".join("1" for _ in range(16384)))
print('  initializer { name: "nibbles" dims: 70000 data_type: 22 '
      'raw_data: "%s" }' % ("\\021" * 35000))
print("}")
