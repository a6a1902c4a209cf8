"""The page about clusters: its code runs as it stands there, and its table is the measured one."""

import random
import re
from pathlib import Path

import numpy as np
import pytest

from course_utils import experiments

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/cluster.md").read_text(encoding="utf-8")


def example():
    """Return the Python code of the page, ready to be run."""
    (code,) = re.findall(r"^```python\n(.*?)^```", PAGE, flags=re.M | re.S)
    return compile(code, "docs/cluster.md", "exec")


@pytest.mark.slow
def test_the_sweep_of_the_page_on_a_cluster_by_its_address(tmp_path, monkeypatch, capsys):
    distributed = pytest.importorskip("distributed")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COURSE_DATA", "bundled")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        assert cluster.scheduler_address.startswith("tcp://")
        names = {"address": cluster.scheduler_address}
        exec(example(), names)
        there = names["found"].table
        assert (there["status"] == "ok").all(), there["error"].tolist()
        assert len(there) == 4
        # Both workers took part, and the file has every run: none is done again.
        assert (tmp_path / "sweep.jsonl").is_file()
        written = (tmp_path / "sweep.jsonl").read_bytes()
        exec(example(), names)
        assert (tmp_path / "sweep.jsonl").read_bytes() == written
    here = experiments.compare(names["variants"], range(42, 44), progress=False).table
    np.testing.assert_allclose(there["validation"], here["validation"], rtol=1e-5)
    assert there["validation"].nunique() == 4
    assert capsys.readouterr().out.count("ok") >= 4


@pytest.mark.slow
def test_a_worker_draws_what_one_process_draws():
    """Dask's own threads draw random numbers while a run does; they must not be the run's."""
    distributed = pytest.importorskip("distributed")

    def draws(seed):
        import random
        import time

        time.sleep(3)  # between seed and draw, as while a network is built
        return {"drawn": random.random()}

    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        there = experiments.compare(
            {"draws": draws}, [1, 2], executor=client.get_executor(), progress=False
        )
    assert there.table["drawn"].tolist() == [random.Random(seed).random() for seed in (1, 2)]


def test_the_page_shows_the_measured_table():
    report = ROOT / "benchmarks/results/cluster.md"
    measured = "Not measured yet."
    if report.exists():
        measured = report.read_text(encoding="utf-8").partition("\n\n")[2].strip()
    shown = PAGE.partition("<!-- begin: benchmarks/results/cluster.md -->")[2]
    assert shown.partition("<!-- end -->")[0].strip() == measured
