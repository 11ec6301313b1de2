"""Reversible Actions: short drawn clips in pairs of classes that are each other's time reversal.

``materials`` and ``raster`` draw convex shapes, ``chance`` decides what varies, ``scene`` puts an
action before a background, ``sheets``, ``things`` and ``vessels`` have one function a pair,
``actions`` names the pairs, ``dataset`` turns (split, index) into a labelled clip.
"""
