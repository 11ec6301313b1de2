"""Training on the drawn set, and measuring what a model has learnt."""
