"""An order of the classes in which those that are mixed up stand together, so that a matrix shows
blocks.
"""

from __future__ import annotations

import numpy as np
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.spatial.distance import squareform


def cluster_order(mutual: np.ndarray) -> np.ndarray:
    """A permutation of the K classes, (K,) int64: hierarchical clustering (average linkage, optimal
    leaf order) of ``mutual`` (K, K), the symmetric shares in which classes are taken for each other
    (`mutual_confusion`).

    Source: scipy's ``linkage``.
    """
    k = len(mutual)
    if k < 3:
        return np.arange(k)
    distance = mutual.max() - mutual
    np.fill_diagonal(distance, 0)
    return leaves_list(
        linkage(squareform(distance, checks=False), "average", optimal_ordering=True)
    ).astype(np.int64)
