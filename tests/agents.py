"""Two agents of torchrun with a rendezvous, as two machines have them, on this one."""

import os
import socket
import subprocess
import sys
from collections.abc import Sequence


def run_on_two_nodes(arguments: Sequence[object], seconds: float = 300) -> str:
    """Run ``python -m gsm_model`` with ``arguments`` on two nodes of one process each; returns what
    both printed. Fails if either does, or if they take longer than ``seconds``.
    """
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "torch.distributed.run", "--nnodes=2", "--nproc-per-node=1"]
    command += ["--rdzv-backend=c10d", f"--rdzv-endpoint=localhost:{port}", "--rdzv-id=test"]
    command += ["-m", "gsm_model", *(str(each) for each in arguments), "--devices=1", "--nodes=2"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    agents = [
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
        )
        for _ in range(2)
    ]
    try:
        said = [agent.communicate(timeout=seconds)[0] for agent in agents]
    finally:
        for agent in agents:
            agent.kill()
    assert [agent.returncode for agent in agents] == [0, 0], "\n".join(said)
    return "\n".join(said)
