"""How well events are detected in scripted scenes: ``python -m benchmarks.events [--seed N] [--kind K] [--cases N] [--jobs N]``.

Scripted actors move over a road, a camera of random height, pitch and rate sees them, a detector finds them with noise, and
the real chain follows: ``Tracker`` → ``PassageAnalyzer`` → ``EventAnalyzer`` (and ``SceneSampler`` for gatherings of people).
Every scene counts for every kind: as a positive of the kinds it stages, as a negative of all others.
"""

import argparse
import dataclasses
import os
import zlib
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from benchmarks.event_cases import POSITIVES
from benchmarks.event_maker import Maker
from benchmarks.event_motion import STEP_S
from benchmarks.event_negatives import NEGATIVES, ordinary
from benchmarks.event_road import Rng
from benchmarks.event_sight import detect, look
from benchmarks.event_stage import Case, advance
from traffic.events import EventAnalyzer, FrameEvidence, ViewState
from traffic.facts import EventKind, EventPhase
from traffic.passages import PassageAnalyzer
from traffic.sampling import SceneSampler
from traffic.tracking import Tracker
from traffic.types import Track, TrackId, TrackState

START_S = 1_764_000_000.0
LOOK_S = 0.5  # pixels are looked at twice a second


@dataclass(frozen=True, slots=True)
class Stated:
    """An event as stated: seconds since the beginning of the case."""

    kind: EventKind
    time_s: float
    detail: str
    box: tuple[float, float, float, float]


@dataclass(slots=True)
class Result:
    """What came of one case."""

    name: str
    seed: int
    seconds: float
    expected: dict[EventKind, tuple[float, float]]
    allowed: frozenset[EventKind]
    stated: list[Stated]
    about: str
    misses: list[EventKind] = field(default_factory=list)
    extras: list[Stated] = field(default_factory=list)
    hits: dict[EventKind, float] = field(default_factory=dict)


class IdTrouble:
    """What a worse tracker would do: a track goes on under a new number, or two neighbours exchange theirs."""

    def __init__(self, rng: Rng, per_s: float, swaps: Sequence[float]) -> None:
        self._rng, self._per_s, self._swaps = rng, per_s, list(swaps)
        self._alias: dict[int, int] = {}
        self._silent: dict[int, int] = {}
        self._born_s: dict[int, float] = {}
        self._next = 1_000_000
        self._time_s = 0.0

    def apply(self, time_s: float, tracks: Sequence[Track]) -> tuple[Track, ...]:
        """The tracks of a frame with their numbers changed."""
        passed_s, self._time_s = time_s - self._time_s, time_s
        live = [track for track in tracks if track.state is TrackState.CONFIRMED]
        if live and self._rng.random() < self._per_s * passed_s:
            chosen = live[int(self._rng.integers(len(live)))].track_id
            self._alias[chosen], self._silent[chosen], self._born_s[self._next] = self._next, 2, time_s
            self._next += 1
        if self._swaps and time_s >= self._swaps[0] and len(live) >= 2:
            self._swaps.pop(0)
            self._swap(live)
        result = []
        for track in tracks:
            left = self._silent.get(track.track_id, 0)
            if left:
                self._silent[track.track_id] = left - 1
                continue
            number = TrackId(self._alias.get(track.track_id, track.track_id))
            if number != track.track_id:
                first_s = self._born_s.get(number, track.first_time_s)
                track = dataclasses.replace(track, track_id=number, first_time_s=first_s)
            result.append(track)
        return tuple(sorted(result, key=lambda track: track.track_id))

    def _swap(self, live: Sequence[Track]) -> None:
        """The two nearest ones."""
        pairs = [
            (abs(a.box[0] - b.box[0]) + abs(a.box[3] - b.box[3]), a, b) for a in live for b in live if a.track_id < b.track_id
        ]
        _, one, two = min(pairs, key=lambda pair: pair[0])
        a, b = self._alias.get(one.track_id, one.track_id), self._alias.get(two.track_id, two.track_id)
        self._alias[one.track_id], self._alias[two.track_id] = b, a


def play(case: Case, rng: Rng) -> list[Stated]:
    """Run the real chain over a case."""
    size = case.camera.frame_size
    tracker, passages, events = Tracker(), PassageAnalyzer(case.scene), EventAnalyzer(case.scene)
    crowds = SceneSampler(case.scene, "benchmark") if case.scene and any(r.kind == "crowd" for r in case.scene.regions) else None
    trouble = IdTrouble(rng, case.noise.switches_per_s, case.swaps)
    stated: list[Stated] = []
    time_s, frame_due_s, look_due_s = 0.0, 0.0, 0.0
    while time_s < case.seconds:
        advance(case, time_s, rng)
        if time_s >= frame_due_s - 1e-9:
            frame_due_s += 1 / case.noise.fps
            now_s = START_S + time_s
            detections, truth = detect(case, time_s, rng)
            view = next((state for a, b, state in case.views if a <= time_s < b), ViewState.OK)
            looked = time_s >= look_due_s
            found = ()
            if looked:
                look_due_s += LOOK_S
                found = look(case, time_s, truth, rng)
            tracks = trouble.apply(now_s, tracker.update(now_s, detections))
            passed = passages.update(now_s, size, tracks)
            evidence = FrameEvidence(findings=found, view=view, looked=looked)
            for event in events.update(now_s, size, tracks, passages, passed, evidence):
                if event.phase is not EventPhase.CLOSED:
                    stated.append(Stated(event.kind, time_s, event.detail, event.box))
            if crowds is not None:
                for alarm in crowds.advance(now_s, size, tracks, passages, passed):
                    stated.append(Stated(EventKind.CROWD, time_s, f"{alarm.people_num}", alarm.box))
                crowds.take()
        time_s = round(time_s + STEP_S, 6)
    return stated


def run_case(job: tuple[str, int]) -> Result:
    """Make and play the case of this name and seed."""
    name, seed = job
    rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
    maker = Maker(rng)
    case = _MAKERS[name](maker)
    stated = play(case, rng)
    metric = case.scene is not None and case.scene.calibration is not None
    about = f"{case.noise.fps:g} fps, sigma {case.noise.sigma_px:.1f}, way {maker.way}, metric {metric}, {case.name}"
    result = Result(name, seed, case.seconds, case.expected, case.allowed, stated, about)
    return judge(result)


def judge(result: Result) -> Result:
    """Hits, misses and false alarms of one case. A second statement of an expected kind is a false alarm."""
    for kind, (low, high) in result.expected.items():
        times = [s.time_s for s in result.stated if s.kind is kind and low <= s.time_s <= high]
        if times:
            result.hits[kind] = times[0] - low
        else:
            result.misses.append(kind)
    used: set[EventKind] = set()
    for stated in result.stated:
        if stated.kind in result.expected:
            low, high = result.expected[stated.kind]
            if low <= stated.time_s <= high and stated.kind not in used:
                used.add(stated.kind)
                continue
        elif stated.kind in result.allowed:
            continue
        result.extras.append(stated)
    return result


_MAKERS = {kind.name.lower(): make for kind, make in POSITIVES.items()} | NEGATIVES | {"ordinary traffic": ordinary}


def jobs_of(seed: int, cases: int, kinds: Sequence[EventKind]) -> list[tuple[str, int]]:
    """``cases`` of every kind, and twice as many negatives spread over all scripts of ordinary traffic."""
    jobs = [(kind.name.lower(), seed * 1000 + i) for kind in kinds for i in range(cases)]
    names = sorted(NEGATIVES)
    each = max(1, -(-2 * cases // len(names)))
    return jobs + [(name, seed * 1000 + i) for name in names for i in range(each)]


def report(results: Sequence[Result], kinds: Sequence[EventKind], *, verbose: bool) -> None:
    """The table."""
    print(f"{'kind':<28}{'pos':>5}{'neg':>6}{'TP':>5}{'FN':>4}{'FP':>4}{'prec':>8}{'recall':>8}{'F1':>7}{'median delay s':>16}")
    for kind in kinds:
        positives = [r for r in results if kind in r.expected]
        hits = [r.hits[kind] for r in positives if kind in r.hits]
        false = sum(s.kind is kind for r in results for s in r.extras)
        negatives = sum(kind not in r.expected and kind not in r.allowed for r in results)
        precision = len(hits) / (len(hits) + false) if hits or false else 1.0
        recall = len(hits) / len(positives) if positives else 1.0
        f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
        delay = f"{np.median(hits):.1f}" if hits else "–"
        row = (
            f"{kind.value} {kind.name.lower():<23}{len(positives):>5}{negatives:>6}{len(hits):>5}{len(positives) - len(hits):>4}"
        )
        print(f"{row}{false:>4}{precision:>8.3f}{recall:>8.3f}{f1:>7.3f}{delay:>16}")
    calm = [r for r in results if not r.expected]
    hours = sum(r.seconds for r in calm) / 3600
    alarms: dict[EventKind, int] = defaultdict(int)
    for result in calm:
        for stated in result.extras:
            alarms[stated.kind] += 1
    total = sum(alarms.values())
    print(
        f"false alarms in {hours:.2f} h without incident: {total} ({total / max(hours, 1e-9):.1f} per hour)", dict(alarms) or ""
    )
    if verbose:
        for result in results:
            for kind in result.misses:
                what = f"{result.name} {result.seed} [{result.about}] stated {_brief(result.stated)}"
                print(f"MISS  {kind.name:<22} {what}")
            for stated in result.extras:
                what = f"{result.name} {result.seed} [{result.about}] at {stated.time_s:.1f} s {stated.detail}"
                print(f"FALSE {stated.kind.name:<22} {what}")


def _brief(stated: Sequence[Stated]) -> list[str]:
    return [f"{s.kind.name}@{s.time_s:.1f}" for s in stated]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kind", help="a kind by name or number; its positives and all negatives", default=None)
    parser.add_argument("--cases", type=int, default=12, help="positives per kind; twice as many negatives")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes; default: one per core")
    parser.add_argument("--only", help="one script, with --seed as its case seed", default=None)
    parser.add_argument("--verbose", action="store_true", help="list misses and false alarms")
    options = parser.parse_args()
    kinds = list(POSITIVES)
    if options.kind:
        wanted = options.kind.lower()
        kinds = [kind for kind in POSITIVES if wanted in (kind.name.lower(), str(kind.value))]
    jobs = [(options.only, options.seed)] if options.only else jobs_of(options.seed, options.cases, kinds)
    if options.jobs > 1:
        with ProcessPoolExecutor(options.jobs) as pool:
            results = list(pool.map(run_case, jobs, chunksize=2))
    else:
        results = [run_case(job) for job in jobs]
    report(results, kinds, verbose=options.verbose or bool(options.only))


if __name__ == "__main__":
    main()
