"""Exercises of notebook 01: sizes backwards, a refusal, a convolution, a detector, a gradient."""

import numpy as np

from course_utils.first_edition import numpy_ops
from course_utils.first_edition.arithmetic import input_sizes, output_size, same_padding

from .base import Exercise, Mistake, Wrong, as_array, call

NOTEBOOK = "01_convolution_and_padding"


def _edited(code, *changes):
    """Return code with parts replaced: a solution, made into a mistake."""
    for old, new in changes:
        if old not in code:
            raise ValueError(f"the code does not hold {old!r}")
        code = code.replace(old, new)
    return code


class Sizes(Exercise):
    """From the size of the output back to the sizes of the input."""

    name = "sizes"
    answer = "input_sizes"
    hints = (
        "Start from the smallest input: the last window ends exactly at its last pixel.",
        "The first of `size` windows starts at 0, the last one at (size − 1)·strides, and it is "
        "kernel_size long. That is the padded input; take the zeros of both sides off.",
        "Up to strides − 1 more pixels change nothing: no further window fits into them.",
    )
    solution_code = """
def input_sizes(size, kernel_size, strides, padding):
    smallest = (size - 1) * strides + kernel_size - 2 * padding
    return smallest, smallest + strides - 1
"""
    typical_mistakes = (
        Mistake(_edited(solution_code, ("2 * padding", "padding")), "on both sides"),
        Mistake(_edited(solution_code, (" + strides - 1", "")), "larger inputs give the same"),
        Mistake(_edited(solution_code, (" + strides - 1", " + strides")), "one too far"),
        Mistake(_edited(solution_code, ("(size - 1)", "size")), "one window too many"),
        Mistake(_edited(solution_code, ("(size - 1) * strides", "size - 1")), "stride is ignored"),
    )

    def verify(self, answer):
        """Compare with what the sizes of a convolution are, on random layers."""
        rng = np.random.default_rng()
        for _ in range(8):
            size, strides = int(rng.integers(4, 15)), int(rng.integers(3, 6))
            kernel_size, padding = int(rng.integers(4, 9)), int(rng.integers(1, 3))
            found = as_array(
                call(answer, size, kernel_size, strides, padding, name=self.answer),
                name="the smallest and the largest input",
                shape=(2,),
            )
            right = input_sizes(size, kernel_size, strides, padding)
            low, high = right[0], right[-1]
            if tuple(found) == (low, high):
                continue
            near = {
                (low + padding, high + padding): "the zeros are put on both sides.",
                (low, low): "up to strides − 1 pixels larger inputs give the same output.",
                (low, high + 1): "the largest input is one too far: there another window fits.",
                (low + strides, high + strides): "that is one window too many: the first of them "
                "starts at 0.",
            }
            ignored = size - 1 + kernel_size - 2 * padding
            if found[0] == ignored != low:
                raise Wrong("the stride is ignored: windows start strides pixels apart.")
            if tuple(found) in near:
                raise Wrong(near[tuple(found)])
            made = output_size(low, kernel_size, strides, padding)
            raise Wrong(
                f"an output of {size} with kernel_size {kernel_size}, strides {strides} and "
                f"padding {padding} comes from inputs of {low} (which gives {made}) to {high}: "
                f"got {found[0]:g} and {found[1]:g}."
            )
        return (
            "one output size comes from as many input sizes as the stride: that is what ⌊ ⌋ does."
        )


class Refusal(Exercise):
    """Find out what Keras refuses, by catching what it raises."""

    name = "refusal"
    answer = "ask_keras"
    setup = "import keras"
    hints = (
        "Put the line that makes the layer between `try:` and `except ValueError as error:`.",
        "`str(error)` is the sentence that the exception carries.",
        "Return it from the `except` part. After the layer was made, return the word.",
    )
    solution_code = """
def ask_keras(strides, dilation_rate):
    try:
        keras.layers.Conv2D(1, 3, strides=strides, dilation_rate=dilation_rate)
    except ValueError as error:
        return str(error)
    return "accepted"
"""
    typical_mistakes = (
        Mistake(
            """
def ask_keras(strides, dilation_rate):
    keras.layers.Conv2D(1, 3, strides=strides, dilation_rate=dilation_rate)
    return "accepted"
""",
            "let the exception through",
        ),
        Mistake(
            """
def ask_keras(strides, dilation_rate):
    if strides > 1 or dilation_rate > 1:
        return "refused"
    return "accepted"
""",
            "one of them alone",
        ),
        Mistake(
            """
def ask_keras(strides, dilation_rate):
    try:
        keras.layers.Conv2D(1, 3, strides=strides, dilation_rate=dilation_rate)
    except ValueError:
        return "refused"
    return "accepted"
""",
            "Keras' own sentence",
        ),
        Mistake(_edited(solution_code, ("return str(error)", "return error")), "as text"),
        Mistake(
            _edited(solution_code, ("dilation_rate=dilation_rate", "dilation_rate=strides")),
            "dilation is confused with the stride",
        ),
    )

    def verify(self, answer):
        """Try every combination of a stride and a dilation, random ones above 1."""
        import keras

        rng = np.random.default_rng()
        large, wide = map(int, rng.integers(2, 6, 2))
        for strides, dilation in [(1, 1), (large, 1), (1, wide), (large, wide)]:
            both = strides > 1 and dilation > 1
            try:
                said = call(answer, strides, dilation, name=self.answer)
            except Wrong as wrong:
                if both and "strides" in str(wrong):
                    raise Wrong("ask_keras let the exception through: catch it.") from wrong
                raise
            case = f"strides {strides} and dilation_rate {dilation}"
            if isinstance(said, Exception):
                raise Wrong("return what the exception says, as text: `str(error)`.")
            if not isinstance(said, str):
                raise Wrong(f"return text: got a {type(said).__name__}.")
            if not both and said != "accepted":
                if strides > 1 and "dilation" in said:
                    raise Wrong(
                        f"Keras accepts {case}: it seems that the dilation is confused with the "
                        "stride on the way to the layer."
                    )
                raise Wrong(f"Keras accepts {case}: one of them alone may be above 1.")
            if both:
                try:
                    keras.layers.Conv2D(1, 3, strides=strides, dilation_rate=dilation)
                    right = "accepted"
                except ValueError as error:
                    right = str(error)
                if said == "accepted" != right:
                    raise Wrong(f"Keras does not accept {case}.")
                if said != right:
                    raise Wrong("return Keras' own sentence, not one of yours: `str(error)`.")
        return (
            "Keras refuses both together. The arithmetic does not: our formula and "
            "`numpy_ops.conv2d` take both. Where you need it, convolve with the dilation alone "
            "and keep every strides-th row and column."
        )


class Conv2D(Exercise):
    """The whole convolution of one image: channels, filters, stride, padding, dilation."""

    name = "conv2d"
    answer = "conv2d"
    hints = (
        "Compute the span of the kernel first: dilation_rate · (kernel size − 1) + 1.",
        'For "same", the output has ⌈n / strides⌉ rows. Count the zeros that this takes; half of '
        "them, rounded down, go to the top and the left, the rest to the bottom and the right.",
        "`image[top : top + span : dilation_rate, left : left + span : dilation_rate]` is the "
        "window; it has the kernel's rows, columns and channels.",
        "`np.tensordot(window, kernel, 3)` multiplies and adds over all three of these axes, for "
        "every filter.",
    )
    solution_code = """
def conv2d(image, kernel, strides, padding, dilation_rate):
    k, filters = kernel.shape[0], kernel.shape[3]
    span = dilation_rate * (k - 1) + 1
    if padding == "same":
        pads = []
        for n in image.shape[:2]:
            total = max((-(-n // strides) - 1) * strides + span - n, 0)
            pads.append((total // 2, total - total // 2))
        image = np.pad(image, [*pads, (0, 0)])
    height, width = [(n - span) // strides + 1 for n in image.shape[:2]]
    output = np.zeros((height, width, filters))
    for y in range(height):
        for x in range(width):
            rows = slice(y * strides, y * strides + span, dilation_rate)
            columns = slice(x * strides, x * strides + span, dilation_rate)
            output[y, x] = np.tensordot(image[rows, columns], kernel, 3)
    return output
"""
    typical_mistakes = (
        Mistake(
            _edited(solution_code, ("image[rows, columns]", "image[rows, columns][::-1, ::-1]")),
            "the kernel is flipped",
        ),
        Mistake(
            _edited(solution_code, ("// strides + 1 for", "// strides for")), "is one too small"
        ),
        Mistake(
            _edited(solution_code, ("+ span - n, 0)", "+ span - n, 0) + 1")),
            "the padding is off by one",
        ),
        Mistake(
            _edited(solution_code, ("(total // 2, total - total // 2)", "(0, total)")),
            "all the zeros are on one side",
        ),
        Mistake(
            _edited(
                solution_code,
                ("(total // 2, total - total // 2)", "(total - total // 2, total // 2)"),
            ),
            "the odd zero goes to the bottom",
        ),
        Mistake(
            _edited(solution_code, ("slice(y * strides, y * strides", "slice(y, y"),
                    ("slice(x * strides, x * strides", "slice(x, x")),
            "the stride is ignored",
        ),
        Mistake(
            _edited(solution_code, ("kernel, 3)", "kernel.swapaxes(2, 3), 3)")),
            "channels and filters are swapped",
        ),
        Mistake(
            _edited(
                solution_code,
                ("    span =", "    strides, dilation_rate = dilation_rate, strides\n    span ="),
            ),
            "dilation is confused with the stride",
        ),
        Mistake(
            _edited(solution_code, ("    span =", "    dilation_rate = 1\n    span =")),
            "the dilation is ignored",
        ),
    )  # fmt: skip

    def verify(self, answer):
        """Compare with the package's convolution on 50 configurations; name a known mistake."""
        rng = np.random.default_rng()
        first = [  # one thing at a time, so that each mistake is known by its first failure
            (1, "valid", 1),
            (2, "valid", 1),
            (1, "valid", 2),
            (1, "same", 1),
            (2, "same", 1),
        ]
        for n in range(50):
            strides, padding, dilation = (
                first[n]
                if n < len(first)
                else (
                    int(rng.integers(1, 4)),
                    str(rng.choice(["same", "valid"])),
                    int(rng.integers(1, 4)),
                )
            )
            height, width = 2 * rng.integers(4, 7, 2) + (n >= len(first)) * rng.integers(0, 2, 2)
            channels = int(rng.integers(2, 4))
            filters = channels if n < len(first) else int(rng.integers(1, 4))
            k = 3 if n < len(first) else int(rng.integers(1, 4))
            image = rng.normal(size=(height, width, channels))
            kernel = rng.normal(size=(k, k, channels, filters))
            how = {"strides": strides, "padding": padding, "dilation_rate": dilation}
            found = as_array(
                call(answer, image, kernel, **how, name=self.answer), name="the output"
            )
            right = _conv(image, kernel, **how)
            if found.shape == right.shape and np.allclose(found, right, atol=1e-8):
                continue
            raise Wrong(_diagnosis(found, right, image, kernel, how))
        return "50 random configurations, each equal to the package's convolution."


def _conv(image, kernel, **how):
    return numpy_ops.conv2d(image[None], kernel, **how)[0]


def _diagnosis(found, right, image, kernel, how):
    """Name the mistake that gives the same wrong numbers, or else say what is wrong with them."""

    def equals(other):
        return other.shape == found.shape and np.allclose(found, other, atol=1e-8)

    case = f'strides {how["strides"]}, padding "{how["padding"]}", dilation {how["dilation_rate"]}'
    strides, dilation = how["strides"], how["dilation_rate"]
    if equals(_conv(image, kernel[::-1, ::-1], **how)):
        return "the kernel is flipped: in deep learning, convolution leaves it as it is."
    if kernel.shape[2] == kernel.shape[3] and equals(_conv(image, kernel.swapaxes(2, 3), **how)):
        return "channels and filters are swapped: the kernel is (rows, columns, channels, filters)."
    if max(strides, dilation) > 1:
        plain = _conv(image, kernel, **{**how, "strides": 1})
        if equals(plain) or equals(plain[: len(right), : right.shape[1]]):
            return "the stride is ignored: neighbouring windows start strides pixels apart."
        exchanged = {**how, "strides": dilation, "dilation_rate": strides}
        if strides != dilation and equals(_conv(image, kernel, **exchanged)):
            return (
                "dilation is confused with the stride: dilation spreads the weights of the "
                "kernel, the stride moves the window."
            )
        near = _conv(image, kernel, **{**how, "dilation_rate": 1})
        if dilation > 1 and (equals(near) or equals(near[: len(right), : right.shape[1]])):
            return "the dilation is ignored: neighbouring weights are dilation_rate pixels apart."
    if how["padding"] == "same":
        totals = [sum(same_padding(n, kernel.shape[0], strides, dilation)) for n in image.shape[:2]]
        for sides in ([(0, t) for t in totals], [(t, 0) for t in totals]):
            if max(totals) > 1 and equals(_conv(image, kernel, **{**how, "padding": tuple(sides)})):
                return "all the zeros are on one side: half of them go to the other one."
        other = tuple((t - t // 2, t // 2) for t in totals)
        if equals(_conv(image, kernel, **{**how, "padding": other})):
            return (
                "the odd zero goes to the bottom and to the right in TensorFlow, and yours is at "
                "the top or the left."
            )
        if found.shape[2:] == right.shape[2:] and found.shape != right.shape:
            return (
                f"the padding is off by one or more: for {case} the output of {image.shape[0]}×"
                f"{image.shape[1]} should be {right.shape[0]}×{right.shape[1]}, "
                f"got {found.shape[0]}×{found.shape[1]}."
            )
    if found.shape == (right.shape[0] - 1, right.shape[1] - 1, right.shape[2]):
        return f"the output is one too small, {found.shape}: the first window counts too (+ 1)."
    if found.shape != right.shape:
        return f"for {case} the output should have shape {right.shape}: got {found.shape}."
    return f"for {case} the numbers differ by up to {np.abs(found - right).max():.2g}."


class Diagonal(Exercise):
    """Design a kernel that reacts to one kind of line."""

    name = "diagonal"
    answer = "kernel"
    hints = (
        "Weights above 0 where the line is, weights below 0 where it must not be.",
        "A plain area gives the sum of all weights: it should not be above 0.",
        "The other diagonal can meet your kernel at a corner alone, so corners must be much "
        "smaller than the sum of the diagonal. A 5×5 kernel has more room than a 3×3 one.",
    )
    solution_code = """
kernel = np.diag([2, 3, 4, 3, 2]) - 1
"""
    typical_mistakes = (
        Mistake("kernel = np.eye(3)", "a plain area"),
        Mistake("kernel = (2 * np.eye(3) - 1)[::-1]", "the other diagonal"),
        Mistake("kernel = np.array([[-1, 2, -1]] * 3)", "a vertical line"),
        Mistake("kernel = np.array([[-1, 2, -1]] * 3).T", "a horizontal line"),
        Mistake("kernel = 2 * np.eye(3) - 1", "only 3.0 times"),
    )

    def verify(self, answer):
        """Measure the largest response to lines of random brightness in random places."""
        kernel = as_array(answer, name="the kernel")
        if kernel.ndim != 2 or kernel.shape[0] != kernel.shape[1] or not 3 <= len(kernel) <= 7:
            raise Wrong(f"the kernel should be 3×3 to 7×7: got the shape {kernel.shape}.")
        worst, least = "", np.inf
        for _ in range(20):
            strength = {name: _response(line, kernel) for name, line in _lines().items()}
            wanted = strength.pop("the diagonal")
            if wanted <= 0:
                raise Wrong("the kernel does not react to the diagonal from top left at all.")
            name = max(strength, key=strength.get)
            ratio = wanted / strength[name] if strength[name] > 0 else np.inf
            if ratio < least:
                worst, least = name, ratio
        if least < 1:
            raise Wrong(f"the kernel reacts more to {worst} than to the diagonal.")
        if least < 5 - 1e-9:
            raise Wrong(
                f"the diagonal gives only {least:.1f} times the response to {worst}: "
                "it should be at least 5 times."
            )
        times = f"{least:.1f} times as strong as" if least < np.inf else "clear, with none from"
        return f"its response to the diagonal is {times} any other pattern tried."


def _lines():
    """Patterns of 15×15 pixels of one brightness; each line runs through the whole image."""
    rng = np.random.default_rng()
    size, at = 15, int(rng.integers(6, 9))
    brightness = rng.uniform(0.2, 1.0)
    straight = np.zeros((size, size))
    straight[:, at] = 1
    shift = int(rng.integers(-2, 3))
    patterns = {
        "the diagonal": np.eye(size, k=shift),
        "a plain area": np.ones((size, size)),
        "the other diagonal": np.eye(size, k=shift)[::-1],
        "a vertical line": straight,
        "a horizontal line": straight.T,
    }
    return {name: brightness * pattern for name, pattern in patterns.items()}


def _response(image, kernel):
    """Largest number of the feature map, after a ReLU."""
    return max(0.0, _conv(image[:, :, None], kernel[:, :, None, None]).max())


class Col2im(Exercise):
    """Hand every window's gradient back to the pixels that it came from."""

    name = "col2im"
    answer = "col2im"
    hints = (
        "Start from zeros of the image's size. Go through the windows in the order of the rows.",
        "`rows[n].reshape(kernel_size, kernel_size)` is the gradient of window number n.",
        "A pixel is in several windows, and gets the sum of what they hand back: use `+=`.",
    )
    solution_code = """
def col2im(rows, height, width, kernel_size, strides):
    image = np.zeros((height, width))
    n = 0
    for top in range(0, height - kernel_size + 1, strides):
        for left in range(0, width - kernel_size + 1, strides):
            window = rows[n].reshape(kernel_size, kernel_size)
            image[top : top + kernel_size, left : left + kernel_size] += window
            n += 1
    return image
"""
    typical_mistakes = (
        Mistake(_edited(solution_code, ("] += window", "] = window")), "overwrite"),
        Mistake(
            _edited(
                solution_code,
                ("    n = 0", "    count = np.zeros((height, width))\n    n = 0"),
                (
                    "            n += 1",
                    "            count[top : top + kernel_size, left : left + kernel_size] += 1\n"
                    "            n += 1",
                ),
                ("return image", "return image / np.maximum(count, 1)"),
            ),
            "the mean",
        ),
        Mistake(
            _edited(solution_code, ("reshape(kernel_size, kernel_size)",
                                    "reshape(kernel_size, kernel_size)[::-1, ::-1]")),
            "flipped",
        ),
        Mistake(
            """
def col2im(rows, height, width, kernel_size, strides):
    image = np.zeros((height, width))
    n = 0
    for left in range(0, width - kernel_size + 1, strides):
        for top in range(0, height - kernel_size + 1, strides):
            window = rows[n].reshape(kernel_size, kernel_size)
            image[top : top + kernel_size, left : left + kernel_size] += window
            n += 1
    return image
""",
            "from left to right first",
        ),
        Mistake(
            """
def col2im(rows, height, width, kernel_size, strides):
    image = np.zeros((height, width))
    columns = (width - kernel_size) // strides + 1
    for n, row in enumerate(rows):
        top, left = divmod(n, columns)
        image[top : top + kernel_size, left : left + kernel_size] += row.reshape(kernel_size, -1)
    return image
""",
            "the stride is ignored",
        ),
    )  # fmt: skip

    def verify(self, answer):
        """Check the gradient on random images: the change of a sum of products, pixel by pixel."""
        rng = np.random.default_rng()
        for strides in (1, 2, *map(int, rng.integers(1, 3, 4))):
            k = int(rng.integers(3, 5))
            height, width = map(int, rng.permutation(np.arange(6, 11))[:2])
            out = [(n - k) // strides + 1 for n in (height, width)]
            if out[0] == out[1]:  # the order of the windows should show
                width += strides
                out[1] += 1
            rows = rng.normal(size=(out[0] * out[1], k * k))
            found = as_array(
                call(answer, rows, height, width, k, strides, name=self.answer),
                name="the gradient",
                shape=(height, width),
            )
            right = _back(rows, height, width, k, strides)
            if np.allclose(found, right, atol=1e-9):
                continue
            raise Wrong(self._diagnosis(found, rows, out, height, width, k, strides))
        return (
            "each pixel gets the sum over its windows, so that im2col and col2im are transposes "
            "of each other: that is the whole backward pass of a convolution's input."
        )

    @staticmethod
    def _diagnosis(found, rows, out, height, width, k, strides):
        place = height, width, k, strides
        right, count = _back(rows, *place), _back(np.ones_like(rows), *place)
        last = np.zeros((height, width))
        for n, row in enumerate(rows):
            top, left = (strides * each for each in divmod(n, out[1]))
            last[top : top + k, left : left + k] = row.reshape(k, k)
        by_columns = rows.reshape(out[1], out[0], -1).swapaxes(0, 1).reshape(rows.shape)
        close = np.zeros((height, width))
        close[: out[0] + k - 1, : out[1] + k - 1] = _back(
            rows, out[0] + k - 1, out[1] + k - 1, k, 1
        )
        known = {
            "windows overwrite each other: a pixel in several of them needs `+=`.": last,
            "that is the mean over the windows; the gradient is their sum.": right
            / np.maximum(count, 1),
            "the window is flipped: its numbers go back to where they came from.": _back(
                rows[:, ::-1], *place
            ),
            "the order of the windows is from left to right first, then down.": _back(
                by_columns, *place
            ),
            "the stride is ignored: windows start strides pixels apart.": close,
        }
        for message, wrong in known.items():
            if np.allclose(found, wrong, atol=1e-9):
                return message
        return (
            f"the gradient differs by up to {np.abs(found - right).max():.2g} (stride {strides})."
        )


def _back(rows, height, width, k, strides):
    return numpy_ops.col2im(rows, (1, height, width, 1), k, strides=strides)[0, :, :, 0]


sizes = Sizes()
refusal = Refusal()
conv2d = Conv2D()
diagonal = Diagonal()
col2im = Col2im()
