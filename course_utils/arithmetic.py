"""The arithmetic of a network, layer by layer: shapes, parameters, multiply-adds, receptive fields.

`ledger(model)` is the table; `receptive_fields(model)` says where on the image each field lies;
`receptive_field(stack)` needs no model. All of it is exact.
"""

from math import prod
from typing import NamedTuple

import numpy as np

from .numpy_ops import axis_padding, pair, span, whole

# Layers and operations, by the names of their classes. A unit of these sees what the unit of the
# input at the same place sees (at inference):
_IN_PLACE = {
    *("Dense", "Activation", "ReLU", "LeakyReLU", "ELU", "PReLU", "Softmax", "Relu", "Identity"),
    *("BatchNormalization", "LayerNormalization", "RMSNormalization", "UnitNormalization"),
    *("Normalization", "Rescaling", "LayerScale", "StochasticDepth", "DepthPooling"),
    *("Dropout", "SpatialDropout2D", "AlphaDropout", "GaussianDropout", "GaussianNoise"),
    *("RandomFlip", "RandomRotation", "RandomTranslation", "RandomZoom", "RandomContrast"),
    *("RandomBrightness", "RandomErasing", "ActivityRegularization"),
}
# A window slides over rows and columns:
_CONVOLUTIONS = {"Conv2D", "DepthwiseConv2D", "SeparableConv2D", "BlurPooling"}
_SLIDING = _CONVOLUTIONS | {"MaxPooling2D", "AveragePooling2D"}
# Every output depends on every position:
_WHOLE = {"Flatten", "GlobalMaxPooling2D", "GlobalAveragePooling2D", "GroupNormalization"}
# Branches meet (CustomScaleLayer is InceptionResNetV2's); in x / 255 there is only one:
_MERGING = {"Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate"}
_MERGING |= {"CustomScaleLayer", "Divide", "TrueDivide"}


class Field(NamedTuple):
    """What one unit sees of one axis of the input image, in pixels of the input.

    `size` counts from the first to the last pixel that it sees; `jump` is the distance between the
    fields of neighbouring units, 0 once all see the same; `start` is the first pixel of the first
    unit's field, negative where it lies in the padding.
    """

    size: int = 1
    jump: int = 1
    start: int = 0

    def window(self, position):
        """Return the `range` of pixels that the unit at `position` sees, padding included."""
        first = self.start + position * self.jump
        return range(first, first + self.size)

    def after(self, kernel_size, strides=1, dilation_rate=1, before=0):
        """Return the field behind another layer, which puts `before` zeros in front of the axis."""
        return Field(
            self.size + (span(kernel_size, dilation_rate) - 1) * self.jump,
            self.jump * whole("strides", strides),
            self.start - before * self.jump,
        )


def receptive_field(stack):
    """Return the `Field` of one axis behind each layer of a stack without padding.

    `stack` has a layer's (kernel_size, strides, dilation_rate), of which the later two may be left
    out. Source: Araujo, Norris and Sim, "Computing receptive fields of convolutional neural
    networks", Distill (2019).
    """
    field, fields = Field(), []
    for layer in stack:
        field = field.after(*layer)
        fields.append(field)
    return fields


def ledger(model, input_shape=None):
    """Tabulate what every layer of a Keras model makes, holds, costs and sees.

    Parameters
    ----------
    model : keras.Sequential or functional keras.Model
        Built, with one input, channels-last. Nested models are expanded (their layers are named
        `model/layer`), branches are followed; inputs get no row.
    input_shape : tuple of int, optional
        (rows, columns, channels), for a model whose input is of open size.

    Returns
    -------
    pandas.DataFrame
        One row a layer, in the order of computation: layer; type; output_shape (without the batch);
        parameters (what is shared counts where it comes first, so that they sum to
        `model.count_params()`); multiply_adds for one image (of convolutions and dense layers,
        without the bias); receptive_field and jump, in pixels of the input: one number, or
        (rows, columns) where these differ.

    Notes
    -----
    Where branches meet, the receptive field is what any of them sees; a ValueError says so if their
    jumps differ, or a layer is unknown. From Flatten or a global pooling on it is all of the image
    that is seen at all (less than the image where strides drop its last rows), and the jump is 0.
    """
    import pandas as pd

    columns = ["layer", "type", "output_shape", "parameters", "multiply_adds", "fields"]
    table = pd.DataFrame(calls(model, input_shape), columns=columns)
    fields = table.pop("fields")
    for column, number in (("receptive_field", "size"), ("jump", "jump")):
        pairs = [tuple(getattr(field, number) for field in both) for both in fields]
        table[column] = [both[0] if len(set(both)) == 1 else both for both in pairs]
    return table


def receptive_fields(model, input_shape=None):
    """Return layer name → (Field of the rows, Field of the columns); arguments as of `ledger`."""
    return {name: fields for name, *_, fields in calls(model, input_shape)}


def calls(model, input_shape=None):
    """Yield a row of the ledger for each call of a layer, or of an operation such as `x + y`."""
    from keras import KerasTensor

    graph = functional(model)
    image = image_shape(graph, input_shape)
    start, counted = KerasTensor((None, *image)), set()
    start.fields = (Field(),) * len(image[:2])
    known = {id(graph.inputs[0]): start}
    for name, layer, node in walk(graph, known):
        made = node.outputs[0]
        if None in made.shape[1:]:
            arguments, options = node.arguments.fill_in(known)
            made = layer.compute_output_spec(*arguments, **options)
        inputs = [known[id(tensor)] for tensor in node.arguments.keras_tensors]
        output = known[id(node.outputs[0])] = KerasTensor(made.shape, made.dtype)
        kind, shape = type(layer).__name__, tuple(made.shape[1:])
        branches = [tensor.fields for tensor in inputs]
        output.fields = _fields(layer, kind, branches, inputs[0].shape[1:], shape, image)
        new = id(layer) not in counted and hasattr(layer, "count_params")
        counted.add(id(layer))
        parameters = layer.count_params() if new else 0
        yield name, kind, shape, parameters, _multiply_adds(layer, kind, shape), output.fields


def walk(graph, values, prefix=""):
    """Yield (name, layer, node) of each call in a graph, also of those in models inside.

    `values` has what goes into the graph, by the id of its tensor. Whoever walks adds what each
    call makes; here it goes into models inside and out again. Keras has no public way to the calls
    inside a model, nor to the graph of a Sequential.
    """
    depths = sorted(graph._nodes_by_depth, reverse=True)
    for node in (node for depth in depths for node in graph._nodes_by_depth[depth]):
        layer, inputs = node.operation, node.arguments.keras_tensors
        name = prefix + layer.name
        if hasattr(layer, "layers"):
            inner = functional(layer)
            into = zip(inputs, inner.inputs, strict=True)
            values.update({id(inside): values[id(outside)] for outside, inside in into})
            yield from walk(inner, values, f"{name}/")
            out = zip(inner.outputs, node.outputs, strict=True)
            values.update({id(outside): values[id(inside)] for inside, outside in out})
        elif inputs:
            yield name, layer, node


def image_shape(graph, input_shape=None):
    """Return the shape of a graph's one input, or `input_shape` if it fits that."""
    if len(graph.inputs) != 1:
        raise ValueError(f"model must have one input: {graph.name!r} has {len(graph.inputs)}")
    own = tuple(graph.inputs[0].shape[1:])
    image = own if input_shape is None else tuple(input_shape)
    if None in image:
        raise ValueError(f"input_shape must be given: the model's input {own} is of open size")
    if len(image) != len(own) or any(b not in (None, a) for a, b in zip(image, own, strict=True)):
        raise ValueError(f"the model's input must have the shape {own}: got {image}")
    return image


def functional(model):
    """Return the functional graph of a Sequential or functional model."""
    graph = getattr(model, "_functional", model)
    if graph is None:
        raise ValueError(
            f"model must be built: {model.name!r} does not know its input yet; "
            "put keras.Input((rows, columns, channels)) first"
        )
    if not hasattr(graph, "_nodes_by_depth"):
        raise ValueError(
            "model must be keras.Sequential or a functional keras.Model, whose layers can be "
            f"followed: got {type(model).__name__}"
        )
    return graph


def _multiply_adds(layer, kind, output):
    """Multiply-adds on one image: each weight of a kernel is used once at each position."""
    if kind == "BlurPooling":
        return prod(output) * layer.kernel_size**2
    if kind not in _CONVOLUTIONS | {"Dense"}:
        return 0
    kernels = [prod(each.shape) for each in layer.variables if each.name.endswith("kernel")]
    return prod(output[:-1]) * sum(kernels)


def _fields(layer, kind, branches, shape, output, image):
    """Fields of the units of a layer, from those of what goes in."""
    fields = branches[0]
    axes = set(np.ravel(getattr(layer, "axis", -1))) if kind in _IN_PLACE | _MERGING else set()
    if getattr(layer, "data_format", "") == "channels_first" or not axes <= {-1, len(shape)}:
        raise ValueError(f"layers must have channels in the last axis: {layer.name!r} has not")
    if kind in _SLIDING:
        kernel = layer.pool_size if kind.endswith("Pooling2D") else layer.kernel_size
        how = kernel, layer.strides, getattr(layer, "dilation_rate", 1)
        sizes, behind = [pair("size", value) for value in how], []
        for field, size, k, s, d in zip(fields, shape[:2], *sizes, strict=True):
            padding = k // 2 if layer.padding == "reflect" else layer.padding
            behind.append(field.after(k, s, d, axis_padding(size, k, s, padding, d)[0]))
        return tuple(behind)
    if kind in ("ZeroPadding2D", "Cropping2D"):
        sign, edges = (1, layer.padding) if kind == "ZeroPadding2D" else (-1, layer.cropping)
        befores = [sign * before for before, _ in edges]
        return tuple(f.after(1, before=b) for f, b in zip(fields, befores, strict=True))
    if kind in _MERGING:
        return _merged(layer, branches, output, image)
    if kind in _WHOLE or (kind == "Dense" and len(shape) == 1):
        return _everything(fields, shape, image)
    if kind == "Reshape" and (len(output) == 1 or all(field.jump == 0 for field in fields)):
        return _everything(fields, shape, image)
    if kind in _IN_PLACE or (kind == "Reshape" and shape[:2] == output[:2]):
        return fields
    raise ValueError(
        f"ledger does not know what the layer {layer.name!r} ({kind}) sees: give it the model up "
        "to the layer before, keras.Model(model.inputs, that_layer.output)"
    )


def _everything(fields, shape, image):
    """Fields of something that depends on every position: all that any unit sees."""
    if all(field.jump == 0 for field in fields):
        return fields
    seen = []
    for field, units, pixels in zip(fields, shape[:2], image[:2], strict=True):
        first, stop = max(field.start, 0), min(field.window(units - 1).stop, pixels)
        seen.append(Field(stop - first, 0, first))
    return tuple(seen)


def _merged(layer, branches, output, image):
    """Fields where branches meet: from the first pixel that one of them sees to the last."""
    if any(field.jump == 0 for fields in branches for field in fields):
        branches = [_everything(fields, output, image) for fields in branches]
    merged = []
    for fields in zip(*branches, strict=True):
        jumps = sorted({field.jump for field in fields})
        if len(jumps) > 1:
            raise ValueError(
                f"branches must have the same strides where they meet: {layer.name!r} joins jumps "
                f"of {' and '.join(map(str, jumps))} pixels"
            )
        first = min(field.start for field in fields)
        merged.append(Field(max(f.start + f.size for f in fields) - first, jumps[0], first))
    return tuple(merged)
