"""What each frame is worth to a prediction: Shapley values, interactions, relations of order."""
