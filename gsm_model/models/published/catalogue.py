"""The catalogue of published checkpoints: a JSON file, read and asked.

Source of its rows: the publishers' own tables, named with their commits in the file.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gsm_model.data.labels import label_list
from gsm_model.errors import CheckpointError
from gsm_model.models.protocol import EvalProtocol, parse_protocol

if TYPE_CHECKING:
    from gsm_model.video.sampling import Sampling
    from gsm_model.video.transforms import InputSpec

FILE = Path(__file__).parent / "catalogue.json"
DRIVE = "https://drive.google.com/"
_REGISTERED = {"tsn": "none", "ir-csn": "csn", "ip-csn": "csn"}  # what the registry calls a system


@dataclass(frozen=True)
class Accuracy:
    """A top-1 accuracy in percent, by the authors; ``protocol`` is ``None`` where not stated."""

    top1: float
    protocol: str | None


@dataclass(frozen=True)
class Published:
    """One published checkpoint.

    ``system``, ``backbone`` and ``data_set`` are keys, their titles what people call them.
    ``frames`` a clip, ``None`` where not stated. ``url`` is ``None`` where the publisher gives
    none, and may be a folder of Google Drive. ``file`` is the name it is kept under; ``sha256``
    what is published of its hash: all, its first digits, or ``None``. ``megabytes`` (10⁶ bytes) are
    those of float32 weights where the publisher states no size. ``labels`` names a `label_list`.
    ``video_network`` is the registry's key of a network of convolutions over time throughout.
    ``needs`` says what the package would have to have to load it; empty where it loads. ``page``
    is where a person finds it.
    """

    name: str
    publisher: str
    system: str
    system_title: str
    backbone: str
    backbone_title: str
    data_set: str
    data: str
    classes: int | None
    frames: int | None
    accuracy: tuple[Accuracy, ...]
    source: str
    url: str | None
    file: str
    sha256: str | None
    megabytes: float | None
    licence: str
    terms: str
    labels: str | None
    input_name: str | None
    needs: str
    note: str
    page: str
    video_network: str = ""

    @property
    def network(self) -> str:
        """The registry's key of its backbone or whole network."""
        return self.video_network or self.backbone

    @property
    def top1(self) -> float | None:
        """The first accuracy that its authors give."""
        return self.accuracy[0].top1 if self.accuracy else None

    @property
    def loadable(self) -> bool:
        """Whether this version of the package reads its layout and has its network."""
        return not self.needs

    @property
    def is_folder(self) -> bool:
        """Whether its address is a folder of Google Drive, which no program may list."""
        return self.url is not None and self.url.startswith(DRIVE + "drive/folders/")

    @property
    def drive_id(self) -> str | None:
        """The id of its file on Google Drive."""
        found = re.match(re.escape(DRIVE) + r"uc\?id=([\w-]+)$", self.url or "")
        return found.group(1) if found else None

    @property
    def title(self) -> str:
        """What people call its network, such as *TSM ResNet-50*."""
        return f"{self.system_title} {self.backbone_title}"

    @property
    def sampling(self) -> Sampling:
        """How the frames of its clips are taken."""
        if "every second frame of a window" in self.note:
            return "every-second"
        return "dense" if "densely sampled" in self.note else "even"

    @property
    def protocol(self) -> EvalProtocol:
        """How its authors test it, as far as they state it for the first accuracy they give.

        mmaction2 and torchvision average the probabilities of views, mmaction2's TSN the features,
        which is the same as its logits; the other releases average logits.
        """
        averages = self.publisher.startswith(("mmaction2", "torchvision")) and self.system != "tsn"
        stated = self.accuracy[0].protocol if self.accuracy else None
        return parse_protocol(stated, "probabilities" if averages else "logits", "its authors")

    @property
    def temporal(self) -> str:
        """Its system's key in the registry."""
        return _REGISTERED.get(self.system, self.system)

    def class_names(self) -> tuple[str, ...] | None:
        """The names of its classes in index order, ``None`` where their order is not known."""
        return None if self.labels is None else label_list(self.labels)

    def input(self) -> InputSpec | None:
        """What it wants to see, ``None`` where its publisher does not say."""
        from gsm_model.video.transforms import InputSpec

        if self.input_name is None:
            return None
        found = InputSpec.from_values(_content()["inputs"][self.input_name])
        return replace(found, sampling=self.sampling)

    def record(self) -> dict[str, Any]:
        """All of it as one JSON object; ``top1`` is the first accuracy, ``protocol`` its."""
        return {
            "name": self.name,
            "system": self.system,
            "backbone": self.backbone,
            "data": self.data,
            "data_set": self.data_set,
            "classes": self.classes,
            "frames": self.frames,
            "top1": self.top1,
            "protocol": self.accuracy[0].protocol if self.accuracy else None,
            "accuracy": [{"top1": one.top1, "protocol": one.protocol} for one in self.accuracy],
            "source": self.source,
            "url": self.url,
            "file": self.file,
            "sha256": self.sha256,
            "megabytes": self.megabytes,
            "licence": self.licence,
            "terms": self.terms,
            "labels": self.labels,
            "input": None if self.input_name is None else _content()["inputs"][self.input_name],
            "loadable": self.loadable,
            "needs": self.needs,
            "note": self.note,
            "page": self.page,
        }


@dataclass(frozen=True)
class MatchedPair:
    """Two loadable checkpoints of one publisher, backbone, data set and number of frames, of which
    the first has nothing that crosses time; ``note`` says what else differs.
    """

    models: tuple[Published, Published]
    note: str


@cache
def _content() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return content


@cache
def catalogue() -> dict[str, Published]:
    """Every published checkpoint that is listed, by name, in the file's order."""
    content = _content()
    return {row["name"]: _published(row, content) for row in content["models"]}


def _published(row: dict[str, Any], content: dict[str, Any]) -> Published:
    publisher, data = content["publishers"][row["publisher"]], content["data"][row["data"]]
    commit = f", commit {publisher['commit']}" if publisher["commit"] else ""
    return Published(
        name=row["name"],
        publisher=publisher["title"],
        system=row["system"],
        system_title=content["systems"][row["system"]],
        backbone=row["backbone"],
        backbone_title=content["backbones"][row["backbone"]],
        data_set=row["data"],
        data=data["title"],
        classes=data["classes"],
        frames=row["frames"],
        accuracy=tuple(Accuracy(*one) for one in row["accuracy"]),
        source=f"{publisher['title']}: {publisher['source']}{commit}",
        url=row["url"],
        file=row["file"],
        sha256=row["sha256"],
        megabytes=row["megabytes"],
        licence=publisher["licence"],
        terms=f"{data['title']}: {data['terms']}",
        labels=row["labels"],
        input_name=row["input"],
        needs=row["needs"],
        note=row["note"],
        page=publisher["page"],
        video_network=row.get("video_network", ""),
    )


def listed_as(name: str, digest: str) -> Published | None:
    """The checkpoint that a file is: of its ``name``, and with the SHA-256 ``digest`` that was
    published, as far as one was; ``None`` if it is none or could be several.
    """
    found = [
        one
        for one in catalogue().values()
        if one.file == name and digest.startswith(one.sha256 or "")
    ]
    return found[0] if len(found) == 1 else None


def matched_pairs() -> tuple[MatchedPair, ...]:
    """The pairs that differ in what crosses time and in little else, the clearest first."""
    listed = catalogue()
    return tuple(
        MatchedPair((listed[first], listed[second]), pair["note"])
        for pair in _content()["pairs"]
        for first, second in [pair["models"]]
    )


def find(name: str) -> Published:
    """The checkpoint of that name, an ImageNet ResNet among them.

    Raises:
        CheckpointError: if there is none, with the names that are nearest.
    """
    from gsm_model.models.published.imagenet import imagenet_networks

    listed = catalogue() | imagenet_networks()
    if name in listed:
        return listed[name]
    near = difflib.get_close_matches(name, listed, n=3, cutoff=0.5)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    raise CheckpointError(
        f"{name}: no published checkpoint of this name{hint} 'models list' shows all"
        f" {len(catalogue())}."
    )


def select(
    data: str | None = None, system: str | None = None, loadable: bool = False
) -> list[Published]:
    """Those of a data set and a system, in the catalogue's order.

    ``data`` is a key or title or a part of one, in any case and with any separators
    (``kinetics`` is all of Kinetics), ``system`` a whole key or title.
    """
    return [
        one
        for one in catalogue().values()
        if (data is None or any(_plain(data) in _plain(name) for name in (one.data_set, one.data)))
        and (system is None or _plain(system) in _plainly((one.system, one.system_title)))
        and (one.loadable or not loadable)
    ]


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())


def _plainly(names: Iterable[str]) -> set[str]:
    return {_plain(name) for name in names}
