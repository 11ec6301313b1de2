"""A known-answer test for attribution in time: where, when and which way, on drawn clips."""
