"""Time ways of writing a convolution in NumPy, side by side with TensorFlow.

    python benchmarks/numpy_convolution.py [--rounds 30]

64 images of 28×28×32 with 64 kernels of 3×3, float32, "valid". In every round each version runs
once, one after the other, so that whatever else the machine does meets them all. The loops run on
one image, and their time is multiplied by 64. Prints the table, and writes it to
results/numpy_convolution.md (its medians to .json), with the machine, unless that was busy: a
product that waits for a thread whose core is taken measures the other program.
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
from ratios import row
from threadpoolctl import threadpool_limits

from course_utils.first_edition import numpy_ops
from course_utils.first_edition.numpy_ops import windows

RESULT = Path(__file__).parent / "results" / "numpy_convolution.md"
IMAGES, SIZE, CHANNELS, KERNEL_SIZE, FILTERS = 64, 28, 32, 3, 64
BUSY = 25  # percent
LOOPS, OURS = "loops: conv2d_loops", "matrix product, block by block: conv2d"
THEIRS = "TensorFlow: tf.nn.conv2d"


def einsum(images, kernel):
    return np.einsum("nyxijc,ijcf->nyxf", windows(images, KERNEL_SIZE), kernel, optimize=True)


def tensordot(images, kernel):
    return np.tensordot(windows(images, KERNEL_SIZE), kernel, axes=3)


def shifted_products(images, kernel):
    """Add up one product for each position in the kernel: nothing is copied but the sums."""
    view = windows(images, KERNEL_SIZE)
    return sum(view[:, :, :, i, j] @ kernel[i, j] for i, j in np.ndindex(KERNEL_SIZE, KERNEL_SIZE))


def one_product(images, kernel):
    """Copy the windows of the whole batch at once."""
    view = windows(images, KERNEL_SIZE)
    rows = numpy_ops.im2col(images, KERNEL_SIZE)
    return (rows @ kernel.reshape(-1, FILTERS)).reshape(*view.shape[:3], FILTERS)


def kernel_rows(images, kernel):
    """Copy windows one kernel row wide, and add up a product for each row of the kernel."""
    size = SIZE - KERNEL_SIZE + 1
    output = np.empty((len(images), size * size, FILTERS), images.dtype)
    wide = np.empty((SIZE, size, KERNEL_SIZE, CHANNELS), images.dtype)
    matrices = kernel.reshape(KERNEL_SIZE, -1, FILTERS)
    for view, result in zip(windows(images, (1, KERNEL_SIZE)), output, strict=True):
        wide[...] = view[:, :, 0]
        result[...] = sum(
            wide[i : i + size].reshape(size * size, -1) @ matrix
            for i, matrix in enumerate(matrices)
        )
    return output.reshape(len(images), size, size, FILTERS)


def forward(images, kernel):
    """Return name → function without arguments, TensorFlow and the loops among them."""
    tf_images, tf_kernel = tf.constant(images), tf.constant(kernel)
    compiled = tf.function(lambda x, k: tf.nn.conv2d(x, k, 1, "VALID"))
    return {
        THEIRS: lambda: compiled(tf_images, tf_kernel).numpy(),
        OURS: lambda: numpy_ops.conv2d(images, kernel),
        "kernel rows: one product each, summed": lambda: kernel_rows(images, kernel),
        "one matrix product of the whole batch": lambda: one_product(images, kernel),
        "windows and np.tensordot": lambda: tensordot(images, kernel),
        "windows and np.einsum": lambda: einsum(images, kernel),
        "shifted images: one product each, summed": lambda: shifted_products(images, kernel),
        LOOPS: lambda: numpy_ops.conv2d_loops(images[:1], kernel),
    }


def backward(images, kernel):
    """Return name → function for the gradients with respect to images and kernel."""
    tf_images, tf_kernel = tf.constant(images), tf.constant(kernel)
    upstream = np.ones_like(numpy_ops.conv2d(images, kernel))
    tf_upstream = tf.constant(upstream)

    @tf.function
    def gradients(x, k):
        with tf.GradientTape() as tape:
            tape.watch((x, k))
            output = tf.nn.conv2d(x, k, 1, "VALID")
        return tape.gradient(output, (x, k), output_gradients=tf_upstream)

    return {
        "TensorFlow: GradientTape": lambda: [
            gradient.numpy() for gradient in gradients(tf_images, tf_kernel)
        ],
        "NumPy: conv2d_backward": lambda: numpy_ops.conv2d_backward(upstream, images, kernel),
    }


def interleaved(functions, rounds):
    """Milliseconds of each function, shape (rounds,), after two rounds to warm up."""
    times = {name: [] for name in functions}
    for _ in range(rounds + 2):
        for name, function in functions.items():
            start = time.perf_counter()
            function()
            times[name].append((time.perf_counter() - start) * 1e3)
    return {name: np.array(values[2:]) for name, values in times.items()}


def table(times):
    """Markdown rows: median and fastest milliseconds, times TensorFlow, times the loops."""
    medians = {name: np.median(values) for name, values in times.items()}
    first = next(iter(medians))
    lines = [
        "| formulation | median ms | fastest ms | TensorFlow = 1 | faster than the loops |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for name, median in sorted(medians.items(), key=lambda item: item[1]):
        faster = f"{medians[LOOPS] / median:,.0f}×" if LOOPS in medians else "–"
        lines.append(
            f"| {name} | {median:,.2f} | {times[name].min():,.2f} "
            f"| {median / medians[first]:,.2f} | {faster} |"
        )
    return lines


def check(functions, images, kernel):
    """Hold every version against TensorFlow before it is timed."""
    expected = functions[THEIRS]()
    for function in functions.values():
        result = function()
        np.testing.assert_allclose(result, expected[: len(result)], rtol=1e-4, atol=1e-4)


def ratios():
    """Return the rows of `make bench`, from the last run on a quiet machine."""
    medians = json.loads(RESULT.with_suffix(".json").read_text(encoding="utf-8"))
    return [
        row("conv2d / tf.nn.conv2d", medians[OURS] / medians[THEIRS], "at most 4"),
        row("loops / conv2d", medians[LOOPS] / medians[OURS], "at least 300"),
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=30)
    rounds = parser.parse_args().rounds
    threads = cores()
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    busy = psutil.cpu_percent(interval=1)
    rng = np.random.default_rng(0)
    images = rng.standard_normal((IMAGES, SIZE, SIZE, CHANNELS), "float32")
    kernel = rng.standard_normal((KERNEL_SIZE, KERNEL_SIZE, CHANNELS, FILTERS), "float32")
    with threadpool_limits(threads):
        functions = forward(images, kernel)
        check(functions, images, kernel)
        times = interleaved(functions, rounds)
        times[LOOPS] *= IMAGES
        gradients = interleaved(backward(images, kernel), rounds)
    medians = {name: np.median(values) for name, values in times.items()}
    lines = [
        "# A convolution in NumPy and in TensorFlow",
        "",
        describe("numpy", "tensorflow"),
        "",
        f"{IMAGES} images of {SIZE}×{SIZE}×{CHANNELS}, {FILTERS} kernels of "
        f"{KERNEL_SIZE}×{KERNEL_SIZE}, float32, {threads} threads each; {rounds} rounds, in each "
        f"of which every version ran once. The loops ran on one image; their time is multiplied by "
        f"{IMAGES}. Before the first round, other programs kept the processor {busy:.0f} % busy.",
        "",
        *table(times),
        "",
        f"`conv2d` takes {medians[OURS] / medians[THEIRS]:.2f} times as long as TensorFlow "
        f"(promised: at most 4), and is {medians[LOOPS] / medians[OURS]:,.0f} times faster than "
        "the loops (promised: at least 300).",
        "",
        "## Gradients with respect to images and kernel",
        "",
        *table(gradients),
    ]
    print("\n".join(lines))
    if busy > BUSY:
        print(
            f"\nNot written to {RESULT.name}: other programs kept the processor {busy:.0f} % busy."
        )
        return
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text("\n".join(lines) + "\n", encoding="utf-8")
    RESULT.with_suffix(".json").write_text(
        json.dumps(medians, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )


if __name__ == "__main__":
    main()
