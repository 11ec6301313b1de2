"""A list of small videos."""

import pytest

from tests.videos import constant_rate


@pytest.fixture
def folder(tmp_path, moving_bar):
    """Five videos of five lengths, and one that is none."""
    lines = []
    for index in range(5):
        constant_rate(tmp_path / f"clip {index}.mp4", moving_bar[: 24 - 3 * index])
        lines.append(f"clip {index}.mp4 {24 - 3 * index} {index}")
    (tmp_path / "broken.mp4").write_text("no video")
    (tmp_path / "list.txt").write_text(
        "\n".join([*lines[:2], "broken.mp4 24 1", *lines[2:]]) + "\n"
    )
    return tmp_path
