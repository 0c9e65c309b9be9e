"""More of the applications' data: series, baskets, sounds and videos."""

from __future__ import annotations

import numpy as np
import pytest

import lstmfast as lf
from lstmfast.tasks import dna
from lstmfast.tasks.anomaly import Anomaly
from lstmfast.tasks.spoken_words import SpokenWords

STOPS = {"TAA", "TAG", "TGA"}


def codons_of(bases: str, frame: int) -> list[str]:
    return [bases[k : k + 3] for k in range(frame, len(bases) - 2, 3)]


def open_frames(bases: str) -> list[int]:
    """Return the frames that no stop is in."""
    return [frame for frame in range(3) if not STOPS.intersection(codons_of(bases, frame))]


def test_dna_of_genes_has_a_frame_without_stops() -> None:
    task = lf.tasks.load("dna")
    texts = [task.show_x(x) for x in task.test.x]
    assert {len(text) for text in texts} == {3 * task.codons}
    frames = [open_frames(text) for text in texts]
    coding = task.test.y == 1
    found = np.array([len(each) > 0 for each in frames])
    assert found[coding].all()
    alone = [each[0] for each, gene in zip(frames, coding, strict=True) if gene and len(each) == 1]
    shares = np.bincount(alone) / len(alone)  # each third of them
    assert np.abs(shares - 1 / 3).max() < 5 * np.sqrt(2 / 9 / len(alone))
    codons = [
        codon
        for text, each, gene in zip(texts, frames, coding, strict=True)
        if gene and len(each) == 1
        for codon in codons_of(text, each[0])
    ]
    assert codons.count("CTG") > 5 * codons.count("CTA")  # both mean leucine
    np.testing.assert_array_equal(task.test.x[:, 1:] // 4, task.test.x[:, :-1] % 16)


def test_dna_needs_more_than_a_look_at_its_ends_or_its_stops() -> None:
    """Rules that know nothing of the codons' shares are far from the target."""
    task = lf.tasks.load("dna")
    texts = [task.show_x(x) for x in task.test.x]
    y = task.test.y
    first = [bool("ATG" in text[:12]) == kind for text, kind in zip(texts, y, strict=True)]
    last = [
        bool(STOPS.intersection(codons_of(text, 0)[-3:])) == kind
        for text, kind in zip(texts, y, strict=True)
    ]
    free = [bool(open_frames(text)) == kind for text, kind in zip(texts, y, strict=True)]
    assert max(abs(np.mean(first) - 0.5), abs(np.mean(last) - 0.5)) < 0.1
    assert np.mean(free) < task.target - 0.1


def test_dna_needs_the_frame() -> None:
    """The best linear model of how often each three bases come, in any frame, misses the target."""
    task = lf.tasks.load("dna")

    def counts(x: np.ndarray) -> np.ndarray:
        found = np.stack([np.bincount(row, minlength=64) for row in x])
        return np.concatenate([found, np.ones((len(x), 1))], axis=1)

    x, y, _ = task.train
    weights, *_ = np.linalg.lstsq(counts(x), 2.0 * y - 1.0, rcond=None)
    right = ((counts(task.test.x) @ weights > 0) == task.test.y).mean()
    assert 0.75 < right < task.target - 0.03


def test_dna_of_uniform_codons_is_not_solved(monkeypatch: pytest.MonkeyPatch) -> None:
    """The best rule of all, whose codons' shares are known, but where those are even.

    It compares how likely a gene and how likely shuffled bases are; with the true shares the same
    rule is nearly always right.
    """

    def best(usage: np.ndarray) -> float:
        monkeypatch.setattr(dna, "_USAGE", usage)
        task = lf.tasks.load("dna")
        shares = usage / usage.sum()
        bases = sum(shares.reshape(4, 4, 4).sum(axis=axes) for axes in ((1, 2), (0, 2), (0, 1))) / 3
        single = np.einsum("i,j,k", bases, bases, bases).ravel()
        gains = np.log(np.maximum(shares, 1e-12) / single)[task.test.x]
        likely = np.logaddexp.reduce([gains[:, k::3].sum(axis=1) for k in range(3)])
        return float(((likely > np.log(3)) == task.test.y).mean())

    usual = dna._USAGE
    even = best((usual > 0).astype(float))
    assert even < 0.78 < 0.93 < best(usual)


def test_dna_has_the_same_bases_in_both_classes() -> None:
    x, y, _ = lf.tasks.load("dna").train
    x = x // 16  # the first of three bases
    shares = np.stack(
        [np.bincount(x[y == k].ravel(), minlength=4) / x[y == k].size for k in (0, 1)]
    )
    # of n bases, independent of each other, the share has a deviation of 1/2 sqrt(1/n) at most
    deviation = 0.5 * np.sqrt(2.0 / (len(y) / 2 * x.shape[1]))
    assert np.abs(shares[0] - shares[1]).max() < 5 * deviation


def test_anomaly_area_counts_pairs() -> None:
    rng = np.random.default_rng(0)
    labels, values = rng.integers(0, 2, 50), rng.standard_normal(50)
    pairs = [
        (values[k], values[n])
        for k in range(50)
        for n in range(50)
        if labels[k] == 1 and labels[n] == 0
    ]
    expected = np.mean([one > zero for one, zero in pairs])
    np.testing.assert_allclose(Anomaly.measure.score(labels, values, None), expected, 1e-12)


def test_anomaly_damages_every_second_window() -> None:
    task = lf.tasks.load("anomaly")
    assert isinstance(task, Anomaly)
    usual = task.test
    np.testing.assert_array_equal(usual.x[:, 1:], usual.y[:, :-1])
    windows, kinds = task.damaged(usual)
    assert (kinds[::2] == 0).all()
    assert set(kinds[1::2]) == {1, 2, 3}
    np.testing.assert_array_equal(windows.x[:, 1:], windows.y[:, :-1])
    change = (windows.y - usual.y)[..., 0]
    third = task.length // 3
    assert not change[:, : third - 1].any()  # y begins with the second step
    assert not change[kinds == 0].any()
    spikes = np.sort(np.abs(change[kinds == 1]), axis=1)
    assert not spikes[:, :-1].any()
    assert spikes[:, -1].min() >= 0.15 - 1e-6
    assert spikes[:, -1].max() <= 0.4 + 1e-6
    ends = windows.y[kinds == 2][:, -third:, 0]
    assert (ends == ends[:, :1]).all()
    # in the same time, a slower wave changes less
    last = windows.y[kinds == 3][:, -third:, 0], usual.y[kinds == 3][:, -third:, 0]
    assert np.abs(np.diff(last[0])).mean() < 0.85 * np.abs(np.diff(last[1])).mean()


def test_purchases_follow_use_and_earlier_ones() -> None:
    task = lf.tasks.load("purchase")
    x, y, _ = task.test
    for first, then, delay in ((6, 9, 3), (7, 10, 1), (8, 11, 2)):
        bought, follows = x[:, :-delay, first] > 0, x[:, delay:, then] > 0
        assert not follows[~bought].any()
        assert abs(follows[bought].mean() - 0.9) < 4 * np.sqrt(0.09 / bought.sum())
        np.testing.assert_array_equal(y[:, then][x[:, -delay, first] == 0], 0)
    packs = np.round(3 * x[..., :6]).astype(int).transpose(0, 2, 1).reshape(-1, x.shape[1])
    in_time = []
    for row in packs[:400]:
        (weeks,) = np.flatnonzero(row)[np.newaxis]
        if len(weeks) > 2:  # a pack lasts as long as the shortest time says, of 1 to 3 weeks
            longest = (np.diff(weeks) // row[weeks[:-1]]).min()
            assert longest >= 1
            lasts = min(longest, 3)
            in_time += (np.diff(weeks) == lasts * row[weeks[:-1]]).tolist()
    assert 0.8 < np.mean(in_time) < 0.97
    assert task.show_y(np.eye(12)[6] + np.eye(12)[9]) == "printer, ink"
    assert task.show_y(np.full(12, 0.5)) == "nothing"


def test_purchases_count_as_foreseen_among_as_many() -> None:
    score = lf.tasks.find("purchase").measure.score
    bought = np.array([[1, 1, 0, 0], [0, 0, 0, 1], [0, 0, 0, 0]])
    said = np.array([[0.9, 0.1, 0.2, 0.0], [0.0, 0.1, 0.2, 0.3], [0.1, 0.2, 0.3, 0.4]])
    assert score(bought, said, None) == pytest.approx(2 / 3)


def test_spoken_words_pass_the_formants_of_their_vowels() -> None:
    task = lf.tasks.load("spoken_words", samples=10)
    assert isinstance(task, SpokenWords)
    word = np.array([task.labels.index("aiu"), task.labels.index("ia")])
    places = np.array([[0.0, 1.0, 2.0]] * 2)
    first, second, third = [730, 1090, 2440], [270, 2290, 3010], [300, 870, 2240]
    np.testing.assert_allclose(task.formants(word, places)[0], [first, second, third])
    np.testing.assert_allclose(task.formants(word, places)[1], [second, first, first])
    x, y, _ = task.test
    loud = x.mean(axis=(0, 2))
    assert loud[:2].max() < loud[15:20].min() - 0.3  # quiet at first
    # near 1000 Hz "a" has its second formant, and "i" none
    for name, sign in (("ia", 1), ("ai", -1)):
        middle = x[y == task.labels.index(name)][..., 8:13].mean(axis=(0, 2))
        assert sign * (middle[24:28].mean() - middle[8:12].mean()) > 0.2


def test_videos_move_as_their_labels_say() -> None:
    task = lf.tasks.load("video_motion", samples=10)
    x, y, _ = task.test
    frames = x[..., 0].clip(0.6)  # well above the noise
    frames = frames - 0.6
    side = np.linspace(-1.0, 1.0, task.size)
    column = (frames * side).sum(axis=(2, 3)) / (frames.sum(axis=(2, 3)) + 1e-6)
    row = (frames * side[:, np.newaxis]).sum(axis=(2, 3)) / (frames.sum(axis=(2, 3)) + 1e-6)
    right = side - column[..., np.newaxis, np.newaxis]
    down = side[:, np.newaxis] - row[..., np.newaxis, np.newaxis]
    # twice the angle of the long axis, as a complex number; its phase grows clockwise
    axis = (frames * (right + 1j * down) ** 2).sum(axis=(2, 3))
    turn = (axis[:, 1:] * axis[:, :-1].conj()).sum(axis=1).imag
    shift = column[:, -2:].mean(axis=1) - column[:, :2].mean(axis=1)
    light = frames.sum(axis=(2, 3))
    growth = light[:, -2:].sum(axis=1) - light[:, :2].sum(axis=1)
    for values, falls, rises in ((shift, 0, 1), (growth, 2, 3), (turn, 4, 5)):
        means = np.array([values[y == k].mean() for k in range(6)])
        others = np.delete(means, [falls, rises])
        assert means[falls] < others.min()
        assert means[rises] > others.max()
        assert means[falls] < 0 < means[rises]


def test_pictures_show_the_answers() -> None:
    pytest.importorskip("matplotlib")
    weather = lf.tasks.load("weather", samples=10)
    model = weather.build(units=2)
    lines = {line.get_label(): line for line in weather.picture(model).axes[0].get_lines()}
    hours = 14 * 24
    assert len(lines["truth"].get_ydata()) == hours
    assert len(lines["forecast"].get_ydata()) == hours + 1  # from the last known hour on
    # each hour's forecast is of the window that ends so many hours before: the known series goes on
    assert len(lines["known"].get_ydata()) == weather.hours + weather.ahead - 1

    anomaly = lf.tasks.load("anomaly", samples=10)
    model = anomaly.build(units=2)
    windows, kinds = anomaly.damaged(anomaly.test)
    found = anomaly.predict(model, windows.x)
    for kind, axes in enumerate(anomaly.picture(model).axes[:4]):
        series, answers = (line.get_ydata() for line in axes.get_lines()[:2])
        (place,) = np.flatnonzero((windows.y[..., 0] == series).all(axis=1))
        assert kinds[place] == kind
        np.testing.assert_array_equal(answers, found[place, :, 0])

    video = lf.tasks.load("video_motion", samples=10)
    titles = [axes.get_title(loc="left") for axes in video.picture(video.build(units=2)).axes]
    assert [title.partition(";")[0] for title in titles] == list(video.labels)
