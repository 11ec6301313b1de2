"""How long things take, measured: every figure from one run, the things compared in turn, medians
with their spread.
"""
