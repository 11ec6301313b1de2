"""Temporal probes: short clips that ask for one use of time each.

All classes of a probe contain exactly the same frames; only their order differs. Whoever averages
frames is therefore at chance by construction, and what a network can tell shows which use of time
it has. Static controls, which one frame answers, stand beside them.

``plans`` has one function a probe, which decides what each frame shows and in which order each
class plays them; ``picture`` paints a frame; ``dataset`` turns (split, index) into a labelled clip.
"""
