"""Files: tables, whole files, hashes, LaTeX."""
