"""Many sessions against a real server: ``python -m tests.load --sessions 40 --minutes 30`` starts
one and reports what they met.

With ``--views``: one session, and how long the server takes to show each page again, when nothing
is asked of a model.

Each session speaks the browser's own protocol, goes from page to page, drops a clip that is its
own, and checks every answer against one computed beforehand without the server. Half of what it
does is a click that changes only the view; with ``--clicks`` everything after the first question of
a session is.
"""

from __future__ import annotations

import argparse
import http.client
import random
import signal
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil
from scipy import stats
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect

from app.components.sentences import compare
from app.pages import confusions, gates, gradcam, models, order
from gsm_model.bundled import bundled_checkpoints, sample_clips
from gsm_model.data.synthetic.dataset import FPS, draw_clip
from gsm_model.models.checkpoints.files import load_checkpoint
from gsm_model.models.inference.optimize import optimize
from gsm_model.models.recognizer import Recognizer
from gsm_model.predict import Prediction, predict
from gsm_model.video.encode import to_mp4
from gsm_model.video.isolate import read_video
from tests.server import start_server

ROOT = Path(__file__).resolve().parents[1]
MODELS = (("gsm", "tsn"), ("gsm", "tsm"), ("tsm", "tsn"), ("gsm",))
QUESTIONS = {
    page.__name__.rsplit(".", 1)[1]: page.QUESTION
    for page in (order, gates, gradcam, confusions, models)
}
WORKING = "the prediction for a clip"
CLICK = "a click that changes the view"
LEAST_CLICKS = 3  # of a session that only clicks, however long its first answer takes
PATIENCE = 150  # seconds a session waits for one run of a page


class Wrong(Exception):
    """A page said something it should not, or did not say what it should."""


@dataclass
class Met:
    """What all sessions met: seconds of each kind of action, what was wrong, the server's memory
    over time (when, MB), and what of it its caches keep.
    """

    seconds: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    refused: int = 0
    checked: int = 0
    memory: list[tuple[float, float]] = field(default_factory=list)
    kept: list[float] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def took(self, kind: str, at: float, seconds: float) -> None:
        with self.lock:
            self.seconds.setdefault(kind, []).append((at, seconds))


class Session:
    """One browser tab, without the browser."""

    def __init__(self, port: int) -> None:
        self.port, self.id, self.uploader = port, "", ""
        self.states: dict[str, object] = {}
        self._open = ExitStack()
        address = f"ws://127.0.0.1:{port}/_stcore/stream"
        self.socket: ClientConnection = self._open.enter_context(
            connect(address, subprotocols=["streamlit"], max_size=None)
        )

    def run(self, query: str, page: str = "") -> list[str]:
        """Run a page; the texts on it.

        Raises:
            Wrong: if it shows an error, or does not end.
        """
        self.ask(query, page)
        texts: list[str] = []
        while True:
            answer = self._next()
            kind = answer.WhichOneof("type")
            if kind == "new_session":
                self.id, texts = answer.new_session.initialize.session_id, []
            elif kind == "delta" and answer.delta.WhichOneof("type") == "new_element":
                texts += self._read(answer.delta.new_element)
            elif (
                kind == "script_finished"
                and answer.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY
            ):
                return texts

    def ask(self, query: str, page: str = "") -> None:
        """Have a page run, and do not wait for it."""
        message = BackMsg()
        message.rerun_script.query_string, message.rerun_script.page_name = query, page
        for name, info in self.states.items():
            message.rerun_script.widget_states.widgets.add(
                id=name
            ).file_uploader_state_value.CopyFrom(info)
        self.socket.send(message.SerializeToString())

    def finish(self) -> None:
        """Wait for the end of a run that showed an error."""
        while self._next().WhichOneof("type") != "script_finished":
            pass

    def _read(self, element) -> list[str]:
        kind = element.WhichOneof("type")
        if kind == "exception" or (kind == "alert" and element.alert.format == element.alert.ERROR):
            raise Wrong(f"an error on the page: {element.exception.message or element.alert.body}")
        if kind == "file_uploader" and element.file_uploader.label == "Upload a clip":
            self.uploader = element.file_uploader.id
        return [element.markdown.body] if kind == "markdown" else []

    def _next(self) -> ForwardMsg:
        answer = ForwardMsg()
        try:
            answer.ParseFromString(self.socket.recv(timeout=PATIENCE))
        except TimeoutError:
            raise Wrong(f"no answer in {PATIENCE} seconds") from None
        return answer

    def drop(self, name: str, content: bytes) -> None:
        """Drop a file on the uploader, as the page's own code does; the next run has it."""
        ask = BackMsg()
        ask.file_urls_request.request_id, ask.file_urls_request.session_id = "1", self.id
        ask.file_urls_request.file_names.append(name)
        self.socket.send(ask.SerializeToString())
        while (answer := self._next()).WhichOneof("type") != "file_urls_response":
            pass
        [urls] = answer.file_urls_response.file_urls
        self._put(urls.upload_url, name, content)
        message = BackMsg()
        info = message.rerun_script.widget_states.widgets.add(
            id=self.uploader
        ).file_uploader_state_value
        info.uploaded_file_info.add(
            name=name, size=len(content), file_id=urls.file_id, file_urls=urls
        )
        self.states = {self.uploader: info}

    def _put(self, url: str, name: str, content: bytes) -> None:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/_stcore/health") as answer:
            cookies = answer.headers.get_all("Set-Cookie") or []
        cookie = next(
            (part.split(";")[0] for part in cookies if "xsrf" in part), "_streamlit_xsrf=none"
        )
        edge = "edge-of-the-part"
        head = (
            f'--{edge}\r\nContent-Disposition: form-data; name="file";'
            f' filename="{name}"\r\nContent-Type: video/mp4\r\n\r\n'
        )
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {
            "Content-Type": f"multipart/form-data; boundary={edge}",
            "Cookie": cookie,
            "X-Xsrftoken": cookie.split("=", 1)[1],
        }
        connection.request(
            "PUT", url, head.encode() + content + f"\r\n--{edge}--\r\n".encode(), headers
        )
        status = connection.getresponse().status
        connection.close()
        if status >= 300:
            raise Wrong(f"the upload was answered with {status}")

    def close(self) -> None:
        self._open.close()


@dataclass(frozen=True)
class Question:
    """A clip, models, and the sentence that the Compare page must say of them; ``content`` of a
    clip that is dropped.
    """

    clip: str
    models: tuple[str, ...]
    sentence: str
    content: bytes = b""


def questions(count: int, folder: Path, clips: int = 10) -> tuple[list[Question], list[Question]]:
    """What sessions ask, with the answers: of the first ``clips`` sample clips, and ``count`` clips
    to drop, all called the same.
    """
    fast = {name: optimize(load_checkpoint(path)) for name, path in bundled_checkpoints().items()}
    samples = []
    for name, clip in list(sample_clips().items())[:clips]:
        found = _predictions(fast, fast, clip.path)
        samples += [Question(name, models, _sentence(found, models)) for models in MODELS]
    own = []
    for index in range(count):
        clip = draw_clip("validation", index)
        content = to_mp4(clip.frames(range(clip.num_frames), 120, 160), FPS, quality=20)
        path = folder / f"{index}.mp4"
        path.write_bytes(content)
        models = ("gsm", "tsn")
        sentence = _sentence(_predictions(fast, models, path), models)
        own.append(Question("", models, sentence, content))
    return samples, own


def _predictions(
    fast: dict[str, Recognizer], models: Iterable[str], path: Path
) -> dict[str, Prediction]:
    video = read_video(path, sorted({fast[name].architecture.num_segments for name in models}))
    return {name: predict(fast[name], video) for name in models}


def _sentence(found: dict[str, Prediction], models: Sequence[str]) -> str:
    return compare([found[name] for name in models])


def live(
    port: int,
    number: int,
    samples: list[Question],
    own: Question,
    end: float,
    think: float,
    met: Met,
    clicks_only: bool,
) -> None:
    """One session's life: what a person would do, at a person's pace, until ``end``; after a fault
    it comes back as a new one.
    """
    rng = random.Random(number)
    while time.monotonic() < end:
        try:
            session = Session(port)
            with closing(session):
                if clicks_only:
                    _click(session, rng, rng.choice(samples), end, think, met)
                else:
                    _visit(session, rng, samples, own, end, think, met)
        except Wrong as wrong:
            with met.lock:
                if "try again in a minute" in str(wrong):
                    met.refused += 1
                else:
                    met.faults.append(f"session {number}: {wrong}")
        except Exception as error:
            met.faults.append(f"session {number}: {type(error).__name__}: {error}")
        time.sleep(rng.uniform(0.2, 1.0))


def _visit(
    session: Session, rng: random.Random, samples, own: Question, end: float, think: float, met: Met
) -> None:
    question = rng.choice(samples)
    _ask(session, question, met)
    for _ in range(rng.randrange(6, 14)):
        if time.monotonic() > end:
            return
        time.sleep(rng.uniform(0.5 * think, 1.5 * think))
        choice, query = rng.random(), _query(question)
        if choice < 0.5:
            _timed(met, CLICK, lambda query=query: session.run(query))
        elif choice < 0.65:
            question = rng.choice(samples)
            _ask(session, question, met)
        elif choice < 0.75 and not session.states:
            session.drop("my clip.mp4", own.content)
            texts = _timed(met, WORKING, lambda: session.run("models=gsm,tsn"))
            _check(own, texts, met)
            session.states, question = {}, rng.choice(samples)
        else:
            page = rng.choice(list(QUESTIONS))
            texts = _timed(
                met, f"page {page}", lambda page=page, query=query: session.run(query, page)
            )
            if f"## {QUESTIONS[page]}" not in texts:
                raise Wrong(f"the page {page} has no heading: {texts[:3]}")


def _click(
    session: Session, rng: random.Random, question: Question, end: float, think: float, met: Met
) -> None:
    _ask(session, question, met)
    clicks = 0
    while time.monotonic() < end or clicks < LEAST_CLICKS:
        time.sleep(rng.uniform(0.5 * think, 1.5 * think))
        _check(question, _timed(met, CLICK, lambda: session.run(_query(question))), met)
        clicks += 1


def _ask(session: Session, question: Question, met: Met) -> None:
    _check(question, _timed(met, WORKING, lambda: session.run(_query(question))), met)


def _check(question: Question, texts: list[str], met: Met) -> None:
    if question.sentence not in texts:
        raise Wrong(f"another answer than {question.sentence!r}: {texts[:4]}")
    with met.lock:
        met.checked += 1


def _query(question: Question) -> str:
    clip = f"clip={question.clip}&" if question.clip else ""
    return f"{clip}models={','.join(question.models)}"


def _timed(met: Met, kind: str, do):
    started = time.monotonic()
    found = do()
    met.took(kind, started, time.monotonic() - started)
    return found


def run(
    sessions: int, seconds: float, think: float = 6.0, clicks_only: bool = False, clips: int = 10
) -> Met:
    """``sessions`` sessions for so many ``seconds`` against a server started for them, which ask of
    their own and of ``clips`` sample clips; what they met.
    """
    met = Met()
    with tempfile.TemporaryDirectory() as folder:
        samples, own = questions(sessions, Path(folder), clips)
        kept = Path(folder) / "kept"
        process, port = start_server(
            Path(folder) / "log.txt", "tests/browser/watched_app.py", KEPT=str(kept)
        )
        end, server = time.monotonic() + seconds, psutil.Process(process.pid)
        threads = [
            threading.Thread(
                target=live,
                args=(port, number, samples, own[number], end, think, met, clicks_only),
                daemon=True,
            )
            for number in range(sessions)
        ]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads) and time.monotonic() < end + PATIENCE:
            met.memory.append((time.monotonic(), server.memory_info().rss / 2**20))
            met.kept.append(int(kept.read_text()) / 2**20 if kept.exists() else 0.0)
            time.sleep(1.0)
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        if "Traceback" in (log := (Path(folder) / "log.txt").read_text()):
            met.faults.append(f"the server's log: {log[-2000:]}")
    return met


def views(runs: int = 15) -> dict[str, tuple[list[float], int]]:
    """Each page shown again ``runs`` times with nothing changed: the seconds of each time, and how
    many forward passes all of them ran.
    """
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        counts = Path(folder) / "counts.txt"
        counts.touch()
        process, port = start_server(
            Path(folder) / "log.txt", "tests/browser/counted_app.py", COUNTS=str(counts)
        )
        with closing(Session(port)) as session:
            for page in ("", *QUESTIONS):
                for _ in range(2):
                    session.run("clip=folding&models=gsm,tsn&order=reversed", page)
                before, seconds = counts.read_text().count("forward"), []
                for _ in range(runs):
                    started = time.monotonic()
                    session.run("clip=folding&models=gsm,tsn&order=reversed", page)
                    seconds.append(time.monotonic() - started)
                found[page or "compare"] = (seconds, counts.read_text().count("forward") - before)
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    return found


def _report_views(found: dict[str, tuple[list[float], int]]) -> str:
    lines = ["| page | median | longest | forward passes |", "|---|---|---|---|"]
    for page, (seconds, forwards) in found.items():
        lines.append(
            f"| {page} | {1000 * np.median(seconds):.0f} ms | {1000 * max(seconds):.0f} ms |"
            f" {forwards} |"
        )
    return "\n".join(lines)


def memory_slope(
    memory: list[tuple[float, float]], warm_up: float = 1 / 3
) -> tuple[float, float, float]:
    """Megabytes a minute after the ``warm_up``, with its 95 % interval. Neighbouring samples are
    alike, so it is of twenty means.
    """
    kept = np.array(memory[int(len(memory) * warm_up) :])
    parts = [part.mean(0) for part in np.array_split(kept, min(20, len(kept)))]
    minutes, values = np.array(parts).T
    fit = stats.linregress(minutes / 60, values)
    width = stats.t.ppf(0.975, len(parts) - 2) * fit.stderr
    return float(fit.slope), float(fit.slope - width), float(fit.slope + width)


def report(met: Met, sessions: int, seconds: float) -> str:
    """What was met, as a table."""
    lines = [
        f"{sessions} sessions, {seconds / 60:.1f} minutes",
        "",
        "| what | times | median | 95th percentile |",
        "|---|---|---|---|",
    ]
    for kind, found in sorted(met.seconds.items()):
        taken = np.array([value for _, value in found])
        lines.append(
            f"| {kind} | {len(taken):,} | {np.median(taken):.2f} s |"
            f" {np.quantile(taken, 0.95):.2f} s |"
        )
    slope, low, high = memory_slope(met.memory)
    late, late_low, late_high = memory_slope(met.memory, 2 / 3)
    values, third = [value for _, value in met.memory], len(met.memory) // 3
    lines += [
        "",
        (
            f"Predictions checked: {met.checked:,}; faults: {len(met.faults)}; refused politely:"
            f" {met.refused}."
        ),
        (
            f"Memory of the server: {values[third]:,.0f} MB after a third of the time,"
            f" {values[-1]:,.0f} MB at the end, {slope:+.1f} MB a minute (95 % interval {low:+.1f}"
            f" to {high:+.1f}); in the last third {late:+.1f} ({late_low:+.1f} to"
            f" {late_high:+.1f}). Its caches kept {met.kept[third]:,.0f} MB after a third of the"
            f" time, {met.kept[-1]:,.0f} MB at the end."
        ),
    ]
    return "\n".join(lines + [f"- {fault}" for fault in met.faults[:20]])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=40)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument(
        "--think", type=float, default=6.0, help="mean seconds between two actions of a session"
    )
    parser.add_argument(
        "--clicks",
        action="store_true",
        help="each session asks once and then only changes the view",
    )
    parser.add_argument(
        "--views", action="store_true", help="time pages that are shown again instead"
    )
    given = parser.parse_args()
    if given.views:
        print(_report_views(views()))
        return 0
    met = run(given.sessions, 60 * given.minutes, given.think, given.clicks)
    print(report(met, given.sessions, 60 * given.minutes))
    return 1 if met.faults else 0


if __name__ == "__main__":
    sys.exit(main())
