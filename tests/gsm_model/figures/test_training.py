"""Training curves: the numbers of the logs, smoothed as stated."""

import numpy as np
import pytest

from gsm_model.errors import DataError
from gsm_model.figures.training import running_mean, training_curves
from gsm_model.training.log import read_log


def test_a_running_mean_counted_by_hand():
    np.testing.assert_allclose(running_mean(np.array([1.0, 3.0, 5.0, 7.0]), window=2), [1, 2, 4, 6])


def test_the_figure_holds_the_smoothed_logs(tmp_path):
    (tmp_path / "log.csv").write_text(
        "step,loss,accuracy,learning_rate\n0,2.0,0.0,0.1\n1,1.0,0.5,0.1\n"
    )
    figure = training_curves([read_log(tmp_path / "log.csv")], ["GSM"])
    loss, accuracy = figure.axes
    np.testing.assert_allclose(loss.lines[0].get_ydata(), [2.0, 1.5])
    np.testing.assert_allclose(accuracy.lines[0].get_ydata(), [0.0, 0.25])


def test_what_is_no_log_is_refused(tmp_path):
    (tmp_path / "log.csv").write_text("a,b\n1,2\n")
    for path in (tmp_path / "log.csv", tmp_path / "nowhere.csv"):
        with pytest.raises(DataError, match="not the log of a training run"):
            read_log(path)
