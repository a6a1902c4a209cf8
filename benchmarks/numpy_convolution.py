"""Time `numpy_ops.conv2d` beside TensorFlow's convolution and beside the loops.

    python benchmarks/numpy_convolution.py [--rounds 20]

64 images of 28×28×32 with 64 kernels of 3×3, float32, "valid". In every round each version runs
once, one after the other, with as many threads each, so that whatever else the machine does meets
them all. The loops run on one image, and their time is multiplied by 64. Prints the table, and
writes it with the machine to results/numpy_convolution.md, unless other programs kept the machine
busy: a product that waits for a thread whose core is taken measures the other program.
"""

import argparse
import json
import os
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import psutil
import tensorflow as tf
from machine import cores, describe
from threadpoolctl import threadpool_limits

from course_utils import numpy_ops

RESULT = Path(__file__).parent / "results" / "numpy_convolution.md"
IMAGES, BUSY = 64, 25  # percent
THEIRS, OURS, LOOPS = "`tf.nn.conv2d`", "`conv2d`", "`conv2d_loops`"
WHOLE, BACK, TAPE = "`im2col`, one product", "`conv2d_backward`", "`GradientTape`, both gradients"


def versions():
    """Return name → function without arguments; the forward ones give the same numbers."""
    rng = np.random.default_rng(0)
    images = rng.standard_normal((IMAGES, 28, 28, 32), "float32")
    kernel = rng.standard_normal((3, 3, 32, 64), "float32")
    x, k = tf.constant(images), tf.constant(kernel)
    forward = tf.function(lambda x, k: tf.nn.conv2d(x, k, 1, "VALID"))
    upstream = np.ones_like(numpy_ops.conv2d(images, kernel))
    filters = kernel.reshape(-1, 64)

    @tf.function
    def gradients(x, k, upstream):
        with tf.GradientTape() as tape:
            tape.watch((x, k))
            output = tf.nn.conv2d(x, k, 1, "VALID")
        return tape.gradient(output, (x, k), output_gradients=upstream)

    return {
        THEIRS: lambda: forward(x, k).numpy(),
        OURS: lambda: numpy_ops.conv2d(images, kernel),
        WHOLE: lambda: (numpy_ops.im2col(images, 3) @ filters).reshape(upstream.shape),
        LOOPS: lambda: numpy_ops.conv2d_loops(images[:1], kernel),
        TAPE: lambda: [gradient.numpy() for gradient in gradients(x, k, tf.constant(upstream))],
        BACK: lambda: numpy_ops.conv2d_backward(upstream, images, kernel),
    }


def measure(functions, rounds):
    """Milliseconds of each function in each round, after two rounds to warm up."""
    times = {name: [] for name in functions}
    for _ in range(rounds + 2):
        for name, function in functions.items():
            start = time.perf_counter()
            function()
            times[name].append((time.perf_counter() - start) * 1e3)
    return {
        name: np.array(each[2:]) * (IMAGES if name == LOOPS else 1) for name, each in times.items()
    }


def promised(over, under, bound, times):
    """Return a row of the table of ratios: the median of the rounds, and their quartiles."""
    low, middle, high = np.percentile(times[over] / times[under], [25, 50, 75])
    digits = 0 if middle > 10 else 2
    return {
        "what": f"{over} / {under}",
        "ratio": f"{middle:,.{digits}f} ({low:,.{digits}f} to {high:,.{digits}f})",
        "promised": bound,
    }


def ratios():
    """Return the rows of `make bench`, from the last run on a quiet machine."""
    return json.loads(RESULT.with_suffix(".json").read_text(encoding="utf-8"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=20)
    rounds, threads = parser.parse_args().rounds, cores()
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    busy = psutil.cpu_percent(interval=1)
    with threadpool_limits(threads):
        functions = versions()
        for name in (OURS, WHOLE, LOOPS):
            result = functions[name]()
            np.testing.assert_allclose(
                result, functions[THEIRS]()[: len(result)], rtol=0, atol=1e-3
            )
        times = measure(functions, rounds)
    busy = max(busy, psutil.cpu_percent(interval=1))
    rows = [
        promised(OURS, THEIRS, "at most 2", times),
        promised(LOOPS, OURS, "at least 600", times),
        promised(BACK, TAPE, "", times),
    ]
    lines = [
        "# A convolution in NumPy and in TensorFlow\n",
        describe("numpy", "tensorflow") + "\n",
        f"{IMAGES} images of 28×28×32, 64 kernels of 3×3, float32, {threads} threads each; "
        f"{rounds} rounds, in each of which every version ran once. The loops ran on one image; "
        f"their time is multiplied by {IMAGES}. Before and after, other programs kept the "
        f"processor at most {busy:.0f} % busy.\n",
        "| version | median ms | fastest ms |",
        "| --- | ---: | ---: |",
        *(f"| {name} | {np.median(t):,.2f} | {t.min():,.2f} |" for name, t in times.items()),
        "\n| what is divided by what | median of the rounds (quartiles) | promised |",
        "| --- | ---: | --- |",
        *(f"| {row['what']} | {row['ratio']} | {row['promised']} |" for row in rows),
    ]
    print("\n".join(lines))
    if busy > BUSY:
        print(f"\nNot written to {RESULT.name}: the machine is busy.")
        return
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text("\n".join(lines) + "\n", encoding="utf-8")
    text = json.dumps(rows, indent=1, ensure_ascii=False)
    RESULT.with_suffix(".json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
