"""Looks inside a trained network: feature maps, Grad-CAM, occlusion, receptive fields.

They leave a model as it is; dropout and the like are off. Arguments that most of them share:

model : keras.Sequential or functional keras.Model
    Built, with one image as input; loaded or not, with branches and with models inside.
layer : str
    Name of a layer; in a model inside "mobilenet/conv_pw_13", or the end, if no other has it.
image : array of shape (rows, columns, channels)
class_index : int, optional
    By default the predicted class. One sigmoid unit has the classes 0 and 1. Without softmax or
    sigmoid the last layer is taken to make logits.
input_shape : (rows, columns, channels), optional
    For a model that leaves its size open.
"""

import warnings
from functools import partial
from typing import NamedTuple

import numpy as np

from . import one_of
from .arithmetic import Field, _graph, receptive_fields


class Geometry(NamedTuple):
    """Where the units of a layer are on the image: at the centres of their receptive fields.

    Maps of "valid" convolutions end before the image does. Stretched over all of it, they show
    things beside where they are.
    """

    rows: np.ndarray  # the centres, in pixels of the image
    columns: np.ndarray
    extent: tuple  # for axis.imshow(feature_map, extent=geometry.extent) over the image
    pixels: tuple  # of the image: how many rows and columns

    def place(self, heatmap):
        """Return a map in the image's size: linear between the centres, constant beyond them."""
        y, x = map(np.arange, self.pixels)
        wide = np.array([np.interp(x, self.columns, row) for row in heatmap])
        return np.array([np.interp(y, self.rows, column) for column in wide.T]).T


def layer_geometry(model, layer, input_shape=None):
    """Return the `Geometry` of a layer that makes maps.

    If `ledger` does not know a layer on the way to it, units are spread evenly, with a warning.
    """
    import keras

    image, graph = _ones(model, input_shape), _graph(model)
    outputs = _run(model, image)
    name = _find(layer, outputs, maps=True)
    output, top = outputs[name][0], name.partition("/")[0]
    pixels, units = image.shape[1:3], output.shape[1:3]
    made = [node for nodes in graph._nodes_by_depth.values() for node in nodes]
    made = next(node.outputs for node in made if node.operation.name == top)
    try:
        fields = receptive_fields(keras.Model(graph.inputs, made, name=top), input_shape)
        # A model inside has no entry of its own, but shares its output with its last layer.
        fields = next(fields[name] for name in fields if outputs[name][0] is output)
    except ValueError as error:
        warnings.warn(f"maps are stretched over the whole image, since {error}", stacklevel=2)
        fields = [Field(n / k, n / k) for n, k in zip(pixels, units, strict=True)]
    rows, columns = (
        field.start + (field.size - 1) / 2 + field.jump * np.arange(n)
        for field, n in zip(fields, units, strict=True)
    )
    y, x = ((field.jump or field.size) / 2 for field in fields)
    extent = columns[0] - x, columns[-1] + x, rows[-1] + y, rows[0] - y
    return Geometry(rows, columns, tuple(map(float, extent)), pixels)


def feature_maps(model, images, layer, batch_size=16):
    """Return a layer's output for images (n, rows, columns, channels), as an array (n, …)."""
    images, parts = np.asarray(images, "float32"), []
    for first in range(0, len(images), batch_size):
        outputs = _run(model, images[first : first + batch_size])
        parts.append(outputs[_find(layer, outputs)][0])
    return np.concatenate(parts)


def grad_cam(model, image, layer=None, class_index=None):
    """Show where in an image the evidence for a class was found, by Grad-CAM.

    The maps of a layer are added, weighted by the mean gradient of the class's logit; what is
    negative becomes 0, and `Geometry` places the rest. The logit is the value before softmax or
    sigmoid, whose gradient does not vanish where the class is certain; a single one speaks for
    class 1, and its negative for class 0.

    Without `layer` it is the last one, other than pooling, whose maps have the size of the last
    convolution's: that convolution, with its normalization and activation.

    The result has the image's rows and columns, float32 from 0 to 1; all 0 if nothing speaks for
    the class. Source: Selvaraju et al., "Grad-CAM" (2017), equations 1 and 2.
    """
    image = np.asarray(image, "float32")
    outputs = _run(model, image[None])
    name = _find(layer, outputs, maps=True)
    chosen = int(np.argmax(_logits(outputs)[0])) if class_index is None else class_index
    gradient = _gradient(model, image, lambda found: _logits(found, chosen)[0, chosen], name)
    if gradient is None:
        raise ValueError(f"layer must lead to the model's output: {name!r} does not")
    weights = np.mean(gradient, axis=(0, 1, 2))
    heatmap = np.maximum(np.asarray(outputs[name][0][0]) @ weights, 0)
    heatmap = layer_geometry(model, name, image.shape).place(heatmap)
    return (heatmap / (heatmap.max() or 1)).astype("float32")


def occlusion(model, image, size, stride, class_index=None, fill=None, batch_size=16):
    """Cover a square of an image, place after place, and see how a class's probability drops.

    The square has `size` pixels a side and moves by `stride`, at most `size`; its last places are
    at the border. `fill` is its colour, by default the mean colour of the image.

    The result has the image's rows and columns, float32: for each pixel the mean, over the squares
    that cover it, of the probability for the whole image minus that for the covered one. It is
    negative where the class is surer without the pixel. After Zeiler and Fergus, "Visualizing and
    understanding convolutional networks" (2014).
    """
    from scipy.special import softmax

    image = np.asarray(image, "float32")
    sides = image.shape[:2]
    if not 1 <= stride <= size <= min(sides):
        raise ValueError(f"1 ≤ stride ≤ size ≤ {min(sides)} must hold: got {stride} and {size}")
    before = softmax(_logits(_run(model, image[None]), class_index)[0])
    chosen = before.argmax() if class_index is None else class_index
    fill = image.mean(axis=(0, 1)) if fill is None else fill
    tops, lefts = ([*range(0, side - size, stride), side - size] for side in sides)
    corners = np.array([(top, left) for top in tops for left in lefts])
    y, x = np.ogrid[: sides[0], : sides[1]]
    drops, counts = np.zeros(sides), np.zeros(sides)
    for first in range(0, len(corners), batch_size):
        top, left = corners[first : first + batch_size].T[..., None, None]
        covered = ((y - top) // size == 0) & ((x - left) // size == 0)
        images = np.where(covered[..., None], fill, image).astype("float32")
        after = softmax(_logits(_run(model, images)), axis=1)[:, chosen]
        drops += np.tensordot(before[chosen] - after, covered, 1)
        counts += covered.sum(axis=0)
    return (drops / counts).astype("float32")


def receptive_field_mask(model, layer, position, input_shape=None):
    """Measure a receptive field: the pixels from which a gradient reaches a unit.

    `position` is the unit's (row, column), or its number in a dense layer. Only the structure of
    the model counts: its weights, ReLU and maxima would hide pixels by chance, so the gradient is
    taken with positive weights, and with means for maxima. The result is bool, (rows, columns).
    """
    image, where = _ones(model, input_shape), tuple(np.atleast_1d(position))
    outputs = _run(model, image)
    name = _find(layer, outputs)
    units = outputs[name][0].shape[1:3]
    if len(where) != len(units) or not all(0 <= p < n for p, n in zip(where, units, strict=True)):
        raise ValueError(f"position must be in the units {units} of {name!r}: got {position!r}")
    gradient = _gradient(model, image[0], lambda run: run[name][0][(0, *where)], call=_open)
    return np.any(gradient[0] != 0, axis=-1)


def _ones(model, input_shape):
    shape = input_shape or model.input_shape[1:]
    if None in shape:
        raise ValueError(f"input_shape must be given: the model's input {shape} is of open size")
    return np.ones((1, *shape), "float32")


def _run(model, images, call=None):
    """Compute a model: layer's name → (output, kind of layer); "" is the whole.

    Its layers are called one by one, or by `call(layer, *inputs)`: `layer.output` of a model that
    was loaded, or is inside of another, can belong to another graph than `model.output`.
    """
    import keras

    graph, found = _graph(model), {}
    own, shape = graph.inputs[0].shape[1:], tuple(images.shape[1:])
    filled = tuple(a or b for a, b in zip(own, shape, strict=False))
    if filled != shape or len(own) != len(shape) or len(graph.inputs) > 1:
        raise ValueError(
            f"image must be the model's one input, of shape {own}: got {shape} for "
            f"{len(graph.inputs)} input(s)"
        )

    def step(operation):
        def compute(*inputs, **options):
            if isinstance(operation, keras.Model):
                inside = _run(operation, inputs[0], call)
                output = inside.pop("")[0]
                found.update({f"{operation.name}/{name}": each for name, each in inside.items()})
            else:
                output = (partial(call, operation) if call else operation)(*inputs, **options)
            found[operation.name] = output, type(operation).__name__
            return output

        return compute

    outputs = keras.tree.flatten(graph._run_through_graph(images, operation_fn=step))
    return found | {"": (outputs[0] if len(outputs) == 1 else outputs, "Model")}


def _gradient(model, image, target, layer=None, call=None):
    """Return the gradient of `target(outputs)` to a layer's output, or to the image; or None.

    In a graph: eager TensorFlow 2.21 also computes the gradients of the weights, and crashes in
    that of a 1×1 convolution with strides. A concrete function does not warn of being traced.
    """
    import tensorflow as tf

    def compute(images):
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(images)
            outputs = _run(model, images, call)
            value = target(outputs)
        return tape.gradient(value, outputs[layer][0] if layer else images)

    images = tf.constant(image[None])
    return tf.function(compute, autograph=False).get_concrete_function(images)(images)


def _open(operation, *inputs, **options):
    """Compute a layer so that nothing hides a pixel: positive weights and outputs, no maxima.

    Each layer hands on the gradient as some positive number or 0: products would vanish.
    """
    import keras
    import tensorflow as tf

    @tf.custom_gradient
    def reached(values):
        noise = tf.random.stateless_uniform(tf.shape(values), (0, 0), 0.5, 1.5)
        return tf.ones_like(values), lambda gradient: tf.where(gradient != 0, noise, 0)

    def positive(variable):
        values = np.random.default_rng(0).uniform(0.1, 0.2, variable.shape)
        return tf.cast(values / np.prod(variable.shape[:-1]), variable.dtype)

    if type(operation).__name__ == "MaxPooling2D":
        how = operation.pool_size, operation.strides, operation.padding
        output = keras.ops.average_pool(*inputs, *how)
    elif type(operation).__name__ in ("Maximum", "Minimum"):
        output = sum(keras.tree.flatten(inputs))
    elif getattr(operation, "variables", None):
        weights = operation.trainable_variables, operation.non_trainable_variables
        weights = [[positive(each) for each in some] for some in weights]
        output, _ = operation.stateless_call(*weights, *inputs, **options)
    else:
        output = operation(*inputs, **options)
    return keras.tree.map_structure(reached, output)


def _find(layer, outputs, maps=False):
    """Return a layer's full name from its end; with `maps`, only of one that makes maps."""
    names = [name for name, (o, _) in outputs.items() if name and (not maps or len(o.shape) == 4)]
    if not names:
        raise ValueError("the model must have a layer that makes maps, (rows, columns, channels)")
    if layer is None:
        sizes = {name: outputs[name][0].shape[1:3] for name in names}
        convolved = [sizes[n] for n in names if "Conv" in outputs[n][1] and max(sizes[n]) > 1]
        alike = [n for n in names if sizes[n] in convolved[-1:] and "Pooling" not in outputs[n][1]]
        layer = alike[-1] if alike else None
    ends = [name for name in names if f"/{name}".endswith(f"/{layer}")]
    return ends[0] if len(ends) == 1 else one_of("layer", layer, names)


def _logits(outputs, class_index=None):
    """Return a logit a class: Keras keeps what went into a softmax or sigmoid, for its losses."""
    import tensorflow as tf

    output, _ = outputs[""]
    if len(getattr(output, "shape", ())) != 2:
        raise ValueError("model must have one output, with one value a class")
    logits = getattr(output, "_keras_logits", output)
    if logits.shape[1] == 1:  # the softmax of (−z/2, z/2) is (1 − sigmoid z, sigmoid z)
        logits = tf.concat([-logits / 2, logits / 2], -1)
    if class_index is not None and class_index not in range(logits.shape[1]):
        raise ValueError(f"class_index must be 0 to {logits.shape[1] - 1}: got {class_index!r}")
    return logits
