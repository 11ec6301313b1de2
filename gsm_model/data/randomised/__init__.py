"""Randomised clips: the drawn set's actions, and turns of the camera, in a style that varies as
widely as it can, so that a network that learns from them holds on filmed clips.

``textures`` and ``cutouts`` are what things are made of, ``layers`` paints them in torch,
``chance`` decides what varies, ``motions`` and ``cameras`` have one function a pair, ``actions``
names the pairs, ``scene`` puts an action among other things, ``effects`` spoils the picture,
``dataset`` turns (split, index, clutter) into a labelled clip.
"""
