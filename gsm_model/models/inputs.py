"""What a network can be given in place of pictures, as rows beside the systems: the network stays a
TSN, and what it sees is motion. A further one is one entry here.
"""

from __future__ import annotations

from dataclasses import dataclass

from gsm_model.video.modality import Kind, Modality

FUSED = ("none", "flow")  # the streams of two: pictures and flow
TWO_STREAM = "two_stream"


@dataclass(frozen=True)
class MotionInput:
    """One of them: what it is called and where it was published, its ``idea`` in plain text, the
    ``kind`` of its modality, ``None`` where it is the late fusion of the networks of `FUSED`, and
    the ``file`` that computes it, from the project's folder.
    """

    name: str
    title: str
    paper: str
    idea: str
    kind: Kind | None
    file: str

    def modality(self, fields: int = 1) -> Modality:
        """What its network takes of a segment. Not of a fusion.

        Raises:
            ValueError: if it is one.
        """
        if self.kind is None:
            raise ValueError(f"{self.title}: two networks, each with a modality of its own")
        return Modality(self.kind, fields)


def motion_inputs() -> dict[str, MotionInput]:
    """Name → what a network is given, in the order of the table."""
    return {one.name: one for one in _INPUTS}


_INPUTS = (
    MotionInput(
        "rgb_difference",
        "RGB differences",
        "Wang et al., ECCV 2016",
        "Each frame less the one before is the cheapest picture of motion. It shows where"
        " something changed, and, since what was covered turns darker and what is covered now"
        " turns lighter or the other way round, a little of which way. It costs a subtraction.",
        "differences",
        "gsm_model/video/motion_planes.py",
    ),
    MotionInput(
        "flow",
        "Optical flow (TV-L1)",
        "Zach, Pock, Bischof, DAGM 2007; Simonyan, Zisserman, NIPS 2014",
        "The displacement of every pixel to the next frame is computed first, and the network sees"
        " nothing else. Looks are gone, motion is plain. Computing it costs more than the network.",
        "flow",
        "gsm_model/motion/tvl1.py",
    ),
    MotionInput(
        TWO_STREAM,
        "Two streams",
        "Simonyan, Zisserman, NIPS 2014; Wang et al., ECCV 2016",
        "One network sees pictures, another one optical flow. Each answers alone, and their scores"
        " are averaged, flow counting one and a half times as much. What looks cannot tell, motion"
        " may, and the other way round.",
        None,
        "gsm_model/fusion.py",
    ),
    MotionInput(
        "tvnet",
        "TVNet",
        "Fan et al., CVPR 2018",
        "The iterations of TV-L1 are written as layers, so that the flow is part of the network and"
        " is learnt with the classes. It starts as TV-L1. No flow needs to be stored.",
        "learnt flow",
        "gsm_model/models/tvnet.py",
    ),
    MotionInput(
        "dmcnet",
        "DMC-Net",
        "Shou et al., CVPR 2019",
        "A codec has already estimated motion, block by block, to predict frames. A small network"
        " makes a finer cue of its vectors and of what they leave over. Here it learns with the"
        " classes alone, without flow as an example.",
        "motion vectors",
        "gsm_model/models/dmc.py",
    ),
)
