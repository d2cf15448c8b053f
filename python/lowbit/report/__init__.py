"""What recipes cost, on one page: `python -m lowbit report`.

`recipes`   what the user asks for, and the flags of quant-opt that this makes
`measure`   runs the tools on each recipe and keeps what they said, to resume from
`charts`    figures as SVG
`page`      the page
"""
