"""The networks: 2D backbones, temporal modules, the recogniser made of them, and their
checkpoints.
"""
