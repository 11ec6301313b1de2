"""Ways to put time into a 2D network, one file each."""
