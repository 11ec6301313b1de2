"""Looking into a model: what its answer rests on, where and when."""
