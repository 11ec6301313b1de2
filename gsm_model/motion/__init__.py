"""Motion between frames: optical flow, how it is stored, and how it is drawn. Needs no model."""
