"""Lowbit from Python.

`lowbit.reference`  numpy implementations of the quantization methods, written
                    from the papers, that the C++ code is tested against.
`lowbit.model`      runs compiled models (what quant-compile writes) in this process.
`lowbit.tokenization` cuts text into windows of tokens to calibrate on.
`lowbit.tools`      runs quant-translate, quant-opt, quant-compile and quant-run
                    as child processes and turns their failures into exceptions.
`lowbit.report`     what recipes cost, on one page.

`python -m lowbit --help` lists what there is for the command line.
"""
