"""Which features carry the order: copied from one clip's run into another's."""
