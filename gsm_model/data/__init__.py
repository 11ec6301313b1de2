"""Labels, and the procedurally drawn set of reversible actions."""
