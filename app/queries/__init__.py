"""What pages ask of models and files, each computed once."""
