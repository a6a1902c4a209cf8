"""The arithmetic of convolutional networks, layer by layer and for whole models.

The functions on single layers come from `course_utils.sizes`; here are `ledger`, `cost` and
`receptive_fields`, which read a built Keras model. Importing this module imports no framework.
"""

from __future__ import annotations

from math import prod

from course_utils.first_edition.layer_graph import steps
from course_utils.first_edition.sizes import (
    Field,
    conv_multiply_adds,
    conv_parameters,
    dense_multiply_adds,
    dense_parameters,
    effective_kernel_size,
    input_sizes,
    is_same,
    output_size,
    pair,
    receptive_field,
    same_padding,
)

__all__ = [
    "Field",
    "conv_multiply_adds",
    "conv_parameters",
    "cost",
    "dense_multiply_adds",
    "dense_parameters",
    "effective_kernel_size",
    "input_sizes",
    "ledger",
    "output_size",
    "receptive_field",
    "receptive_fields",
    "same_padding",
]

# Layers whose unit sees what the same unit of their input sees (at inference).
_IN_PLACE = frozenset(
    {
        *("Dense", "Activation", "ReLU", "LeakyReLU", "ELU", "PReLU", "Softmax", "Identity"),
        *("BatchNormalization", "LayerNormalization", "UnitNormalization", "Normalization"),
        *("Dropout", "SpatialDropout2D", "AlphaDropout", "GaussianDropout", "GaussianNoise"),
        *("RandomFlip", "RandomRotation", "RandomTranslation", "RandomZoom", "RandomContrast"),
        *("RandomBrightness", "RandomErasing", "Rescaling", "ActivityRegularization"),
    }
)
_CONVOLUTIONS = frozenset({"Conv2D", "DepthwiseConv2D", "SeparableConv2D"})
_POOLINGS = frozenset({"MaxPooling2D", "AveragePooling2D"})
# Layers each of whose outputs depends on every position.
_WHOLE = frozenset(
    {"GlobalMaxPooling2D", "GlobalAveragePooling2D", "GroupNormalization", "Flatten"}
)
_MERGES = frozenset({"Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate"})


def _window(layer):
    """Kernel, strides, dilation and padding of a layer that slides a window, else None."""
    kind = type(layer).__name__
    if kind in _CONVOLUTIONS:
        return layer.kernel_size, layer.strides, layer.dilation_rate, layer.padding
    if kind in _POOLINGS:
        return layer.pool_size, layer.strides, 1, layer.padding
    if hasattr(layer, "receptive_field_step"):
        return *layer.receptive_field_step(), getattr(layer, "padding", "valid")
    return None


def _multiply_adds(step):
    """Multiply-adds of one layer on one image, without the bias."""
    layer, kind, inputs, outputs = step.layer, step.type, step.input_shape, step.output_shape
    if hasattr(layer, "multiply_adds"):
        return int(layer.multiply_adds(inputs))
    if kind == "Conv2D":
        channels, groups = inputs[2], layer.groups
        return conv_multiply_adds(outputs[:2], layer.kernel_size, channels, outputs[2], groups)
    if kind in ("DepthwiseConv2D", "SeparableConv2D"):
        middle = inputs[2] * layer.depth_multiplier
        total = conv_multiply_adds(outputs[:2], layer.kernel_size, inputs[2], middle, inputs[2])
        if kind == "SeparableConv2D":
            total += conv_multiply_adds(outputs[:2], 1, middle, outputs[2])
        return total
    if kind == "Dense":
        return prod(outputs[:-1]) * dense_multiply_adds(inputs[-1], outputs[-1])
    return 0


def _everything(fields, shape, image):
    """Fields of something that depends on every position: all that any unit sees."""
    seen = []
    for axis, field in enumerate(fields):
        if field.jump:
            first = max(field.start, 0)
            stop = min(field.window(shape[axis] - 1).stop, image[axis])
            field = Field(stop - first, 0, first)
        seen.append(field)
    return tuple(seen)


def _merged(step, branches, image):
    """Fields where branches meet: from the first pixel that one of them sees to the last."""
    if step.type == "Concatenate" and step.layer.axis not in (-1, len(step.output_shape)):
        raise ValueError(f"ledger cannot follow {step}: it must join channels, the last axis")
    if any(field.jump == 0 for fields in branches for field in fields):
        branches = [_everything(fields, step.output_shape, image) for fields in branches]
    merged = []
    for fields in zip(*branches, strict=True):
        jumps = sorted({field.jump for field in fields})
        if len(jumps) > 1:
            raise ValueError(
                f"branches must have the same strides where they meet: "
                f"{step} joins jumps of {' and '.join(map(str, jumps))} pixels"
            )
        first = min(field.start for field in fields)
        merged.append(Field(max(f.start + f.size for f in fields) - first, jumps[0], first))
    return tuple(merged)


def _fields(step, branches, image):
    """Fields of the units of one step, from those of what goes in."""
    layer, kind, fields = step.layer, step.type, branches[0]
    inputs, outputs = step.input_shape, step.output_shape
    if getattr(layer, "data_format", None) == "channels_first":
        raise ValueError(f"layers must be channels-last: {step} is channels-first")
    if window := _window(layer):
        *sizes, padding = window
        behind = []
        for axis, field in enumerate(fields):
            k, s, d = (pair("window", size)[axis] for size in sizes)
            before = k // 2 if padding == "reflect" else 0  # BlurPooling mirrors half its kernel
            if is_same(padding):
                before = same_padding(inputs[axis], k, s, d)[0]
            behind.append(field.after(k, s, d, before))
        return tuple(behind)
    if kind == "ZeroPadding2D":
        pairs = zip(fields, layer.padding, strict=True)
        return tuple(field.after(1, before=before) for field, (before, _) in pairs)
    if kind in _MERGES:
        return _merged(step, branches, image)
    if kind in _WHOLE or _mixes_positions(step):
        return _everything(fields, inputs, image)
    if kind in _IN_PLACE or (kind == "Reshape" and inputs[:2] == outputs[:2]):
        return fields
    if kind == "Reshape" and (len(outputs) == 1 or all(field.jump == 0 for field in fields)):
        return _everything(fields, inputs, image)
    raise ValueError(
        f"ledger does not know the layer {step} on the shape {inputs}: it knows "
        + ", ".join(sorted(_CONVOLUTIONS | _POOLINGS | _WHOLE | _MERGES | _IN_PLACE))
        + ", Reshape, ZeroPadding2D, and layers with a method receptive_field_step()"
    )


def _mixes_positions(step):
    """Whether a layer that works along its last axis works along rows or columns here."""
    if step.type == "Dense":
        return len(step.input_shape) == 1
    if step.type not in ("LayerNormalization", "UnitNormalization", "Softmax"):
        return False
    axes = step.layer.axis
    last = len(step.input_shape)
    return any(axis not in (-1, last) for axis in ([axes] if isinstance(axes, int) else axes))


def _audit(model):
    """List (step, its fields) for every layer of the model."""
    listed = steps(model)
    image = tuple(model.input_shape[1:3])
    known = {0: tuple(Field(1, 1, 0) for _ in image)}
    for step in listed:
        known[step.output] = _fields(step, [known[number] for number in step.inputs], image)
    return [(step, known[step.output]) for step in listed]


def receptive_fields(model):
    """Receptive field of every layer of a Keras model, as `Field`s with a start.

    Returns
    -------
    dict
        Layer name → (Field of the rows, Field of the columns). See `ledger` for what is covered.
    """
    return {step.name: fields for step, fields in _audit(model)}


def ledger(model):
    """Tabulate what every layer of a Keras model makes, holds, costs and sees.

    Parameters
    ----------
    model : keras.Sequential or functional keras.Model
        Built, with one input of a fixed size, channels-last. Nested models are expanded (their
        layers are named `model/layer`), branches are followed; input layers get no row.

    Returns
    -------
    pandas.DataFrame
        One row a layer, in the order of computation, with the columns
        layer, type; output_shape (without the batch); parameters (they sum to
        `model.count_params()`; a layer used twice is counted where it comes first);
        multiply_adds (for one image: convolutions and dense layers only, without the bias;
        pooling, activations and normalization count 0); receptive_field and jump, in input
        pixels: an int, or (rows, columns) where the two differ.

    Raises
    ------
    ValueError
        For a layer type that it does not know, a model that is not built, or branches of
        different strides that meet.

    Notes
    -----
    Where branches meet, the receptive field is what any of them sees. From Flatten or a global
    pooling on there are no positions any more: the receptive field is all of the input that is
    seen at all (less than the image where a stride drops its last rows), and the jump is 0.
    Normalization over positions (GroupNormalization) makes every unit see all of that, too.
    """
    import pandas as pd

    def one_or_both(values):
        return values[0] if len(set(values)) == 1 else tuple(values)

    rows = [
        {
            "layer": step.name,
            "type": step.type,
            "output_shape": step.output_shape,
            "parameters": step.parameters,
            "multiply_adds": _multiply_adds(step),
            "receptive_field": one_or_both([field.size for field in fields]),
            "jump": one_or_both([field.jump for field in fields]),
        }
        for step, fields in _audit(model)
    ]
    return pd.DataFrame(rows)


def cost(model):
    """Total the ledger of a model.

    Returns
    -------
    dict
        parameters, and multiply_adds (for one image, as `ledger` counts them).
    """
    listed = [step for step, _ in _audit(model)]
    return {
        "parameters": sum(step.parameters for step in listed),
        "multiply_adds": sum(_multiply_adds(step) for step in listed),
    }
