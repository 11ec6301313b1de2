"""A catalogue whose matched pair is two small networks on a server of the test's own."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from gsm_model.models.published import catalogue
from tests.file_server import FileServer
from tests.published import save_published

PAIR = ("mmaction2-tsn-r50-sthv2-8f", "mmaction2-tsm-r50-sthv2-8f")


def write_catalogue(folder: Path, server: FileServer) -> Path:
    """The package's catalogue with `PAIR` at ``server``, which then has its files."""
    content = json.loads(catalogue.FILE.read_text(encoding="utf-8"))
    for row in content["models"]:
        if row["name"] in PAIR:
            made = folder / row["file"]
            save_published(made, "none" if row["system"] == "tsn" else "tsm", 174)
            server.files[row["file"]] = made.read_bytes()
            row["url"] = f"{server.address}/{row['file']}"
            row["backbone"] = "resnet18"
            row["sha256"] = hashlib.sha256(made.read_bytes()).hexdigest()[:8]
            made.unlink()
    path = folder / "catalogue.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path
