"""Tables of one model's predictions: the table, readers of all the files it comes in, writers, and
joins. Nothing here loads torch.
"""

from gsm_model._moved import renamed
from gsm_model.predictions.join import (
    PairedPredictions,
    concatenate,
    join_predictions,
    match_tables,
)
from gsm_model.predictions.read import read_parquet, read_predictions, read_scores
from gsm_model.predictions.table import Predictions, Provenance, softmax
from gsm_model.predictions.write import write_parquet, write_predictions, write_scores

__all__ = [
    "PairedPredictions",
    "Predictions",
    "Provenance",
    "concatenate",
    "join_predictions",
    "match_tables",
    "read_parquet",
    "read_predictions",
    "read_scores",
    "softmax",
    "write_parquet",
    "write_predictions",
    "write_scores",
]

__getattr__ = renamed(
    __name__,
    {
        "Answers": "Predictions",
        "Origin": "Provenance",
        "Joined": "PairedPredictions",
        "read_answers": "read_predictions",
        "join_answers": "join_predictions",
        "join": "concatenate",
        "measures_of_table": "gsm_model.evaluation.measures:measures_of_table",
    },
)
