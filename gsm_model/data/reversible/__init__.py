"""Reversible Actions: short drawn clips in pairs of classes that are each other's time reversal.

``raster`` draws convex shapes, ``scene`` says what a moment of a scene is made of, ``actions`` has one
function a pair, ``dataset`` turns (seed, index) into a labelled clip.
"""
