"""Looks inside a trained network: feature maps, Grad-CAM, occlusion, receptive fields.

They leave a model as it is; dropout and the like are off. Arguments that most of them share:

model : keras.Sequential or functional keras.Model
    Built, from one image to one output; loaded or not, with branches and with models inside.
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
from typing import NamedTuple

import numpy as np

from . import one_of
from .arithmetic import Field, calls, functional, image_shape, walk


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
    image = np.ones((1, *image_shape(functional(model), input_shape)), "float32")
    _, layers = _run(model, image)
    name = _find(layer, layers, maps=True)
    pixels, units = image.shape[1:3], layers[name][0].shape[1:3]
    try:
        fields = next(fields for each, *_, fields in calls(model, input_shape) if each == name)
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


def feature_maps(model, images, layer):
    """Return a layer's output for some images (n, rows, columns, channels), as an array (n, …)."""
    _, layers = _run(model, np.asarray(images, "float32"))
    return np.asarray(layers[_find(layer, layers)][0])


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
    import tensorflow as tf

    image = np.asarray(image, "float32")

    def maps_and_logit(_, output, layers):
        logits = _logits(output, class_index)[0]
        logit = tf.reduce_max(logits) if class_index is None else logits[class_index]
        return layers[_find(layer, layers, maps=True)][0], logit

    maps, gradient = _gradient(model, image, maps_and_logit)
    if gradient is None:
        raise ValueError(f"layer must lead to the model's output: {layer!r} does not")
    heatmap = np.maximum(maps[0].numpy() @ np.mean(gradient, axis=(0, 1, 2)), 0)
    heatmap = layer_geometry(model, layer, image.shape).place(heatmap)
    return (heatmap / (heatmap.max() or 1)).astype("float32")


def occlusion(model, image, size, stride, class_index=None, fill=None):
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
    before = softmax(_logits(_run(model, image[None])[0], class_index)[0])
    chosen = before.argmax() if class_index is None else class_index
    tops, lefts = ([*range(0, side - size, stride), side - size] for side in sides)
    fill = image.mean(axis=(0, 1)) if fill is None else fill
    drops, counts = np.zeros(sides), np.zeros(sides)
    for top in tops:
        squares = [np.s_[top : top + size, left : left + size] for left in lefts]
        images = np.repeat(image[None], len(squares), axis=0)
        for covered, square in zip(images, squares, strict=True):
            covered[square] = fill
        after = softmax(_logits(_run(model, images)[0]), axis=1)[:, chosen]
        for square, probability in zip(squares, after, strict=True):
            drops[square] += before[chosen] - probability
            counts[square] += 1
    return (drops / counts).astype("float32")


def receptive_field_mask(model, layer, position, input_shape=None):
    """Measure a receptive field: the pixels from which a gradient reaches a unit.

    `position` is the unit's (row, column), or its number in a dense layer. Only the structure of
    the model counts: its weights, ReLU and maxima would hide pixels by chance, so the gradient is
    taken with positive weights, and with means for maxima. The result is bool, (rows, columns).
    """
    where = tuple(np.atleast_1d(position))

    def pixels_and_unit(images, _, layers):
        output = layers[_find(layer, layers)][0]
        units = output.shape[1:3]
        if where not in np.ndindex(*units):
            raise ValueError(f"position must be in the units {units} of {layer!r}: got {position}")
        return images, output[(0, *where)]

    image = np.ones(image_shape(functional(model), input_shape), "float32")
    _, gradient = _gradient(model, image, pixels_and_unit, _open)
    return np.any(gradient[0] != 0, axis=-1)


def _run(model, images, call=None):
    """Return a model's output, and layer's name → (output, kind of layer).

    Its layers are called one by one, or by `call(layer, *inputs)`: `layer.output` of a model that
    was loaded, or is inside of another, can belong to another graph than `model.output`.
    """
    graph, layers = functional(model), {}
    image_shape(graph, images.shape[1:])  # or a sentence: the images do not fit
    values = {id(graph.inputs[0]): images}
    for name, layer, node in walk(graph, values):
        inputs, options = node.arguments.fill_in(values)
        if getattr(layer, "_call_has_training_arg", False):  # random layers distort by default
            options = options | {"training": False}
        output = call(layer, *inputs, **options) if call else layer(*inputs, **options)
        values[id(node.outputs[0])] = output
        layers.setdefault(name, (output, type(layer).__name__))
    if len(graph.outputs) > 1:
        raise ValueError(f"model must have one output: {graph.name!r} has {len(graph.outputs)}")
    return values[id(graph.outputs[0])], layers


def _gradient(model, image, target, call=None):
    """Return the first of what `target(images, output, layers)` gives, and the other's gradient.

    In a graph: eager TensorFlow 2.21 also computes the gradients of the weights, and crashes in
    that of a 1×1 convolution with strides. A concrete function does not warn of being traced.
    """
    import tensorflow as tf

    def compute(images):
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(images)
            source, value = target(images, *_run(model, images, call))
        return source, tape.gradient(value, source)

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


def _find(layer, layers, maps=False):
    """Return a layer's full name from its end; with `maps`, only of one that makes maps."""
    names = [name for name, (output, _) in layers.items() if not maps or len(output.shape) == 4]
    if not names:
        raise ValueError("the model must have a layer that makes maps, (rows, columns, channels)")
    if layer is None:
        sizes = {name: layers[name][0].shape[1:3] for name in names}
        convolved = [sizes[n] for n in names if "Conv" in layers[n][1] and max(sizes[n]) > 1]
        alike = [n for n in names if sizes[n] in convolved[-1:] and "Pooling" not in layers[n][1]]
        layer = alike[-1] if alike else None
    ends = [name for name in names if f"/{name}".endswith(f"/{layer}")]
    # A model inside stands for its last layer.
    ends = ends or [name for name in names if f"/{layer}/" in f"/{name}"][-1:]
    return ends[0] if len(ends) == 1 else one_of("layer", layer, names)


def _logits(output, class_index=None):
    """Return a logit a class: Keras keeps what went into a softmax or sigmoid, for its losses."""
    import tensorflow as tf

    if len(output.shape) != 2:
        raise ValueError(f"the model's output must be one value a class: got {output.shape[1:]}")
    logits = getattr(output, "_keras_logits", output)
    if logits.shape[1] == 1:  # the softmax of (−z/2, z/2) is (1 − sigmoid z, sigmoid z)
        logits = tf.concat([-logits / 2, logits / 2], -1)
    if class_index is not None and class_index not in range(logits.shape[1]):
        raise ValueError(f"class_index must be 0 to {logits.shape[1] - 1}: got {class_index!r}")
    return logits
