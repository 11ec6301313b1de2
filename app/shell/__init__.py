"""What every page stands in: layout, session, settings, uploads, links."""
