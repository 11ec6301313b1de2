"""From a video file to a model's input: decode, sample, transform; and back to a file: encode."""
