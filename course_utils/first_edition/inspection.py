"""Looks inside a trained network: filters, feature maps, Grad-CAM, occlusion, receptive field.

Images are what the model was trained on (scaled the same way), channels-last. Layers are given by
name. Dropout and the like are off everywhere here.
"""

from __future__ import annotations

import numpy as np

from .choices import one_of


def _layer(model, name):
    """Return the layer of that name, or raise a sentence with the nearest right name."""
    if len(model.inputs) != 1:
        raise ValueError(f"model must have one input, the image: it has {len(model.inputs)}")
    return model.get_layer(one_of("layer", name, [layer.name for layer in model.layers]))


def _up_to(model, outputs):
    """Return the part of the model from its image to some of its tensors."""
    import keras

    return keras.Model(model.inputs[0], outputs)


def _spatial_layer(model, name):
    """Return the layer, which must make feature maps."""
    layer = _layer(model, name)
    if len(layer.output.shape) != 4:
        maps = [other.name for other in model.layers if len(other.output.shape) == 4]
        raise ValueError(
            f"layer must make feature maps (rows, columns, channels): {name!r} makes "
            f"{tuple(layer.output.shape[1:])}; these do: {', '.join(maps)}"
        )
    return layer


def _fits(shape, expected):
    """Whether an image has the model's shape; a side that the model leaves open is None."""
    return len(shape) == len(expected) and all(
        right in (None, size) for size, right in zip(shape, expected, strict=True)
    )


def _checked_images(model, images):
    """Return the images as float32, or raise a sentence."""
    images, expected = np.asarray(images), tuple(model.input_shape[1:])
    if not _fits(images.shape[1:], expected):
        sides = ", ".join(map(str, expected))
        raise ValueError(
            f"images must have the shape (number, {sides}) of the model's input: got {images.shape}"
        )
    return images.astype("float32")


def _checked_image(model, image):
    """Return one image as float32, or raise a sentence."""
    image, expected = np.asarray(image), tuple(model.input_shape[1:])
    if not _fits(image.shape, expected):
        raise ValueError(
            f"image must have the shape {expected} of the model's input: got {image.shape}"
        )
    return image.astype("float32")


def _classes(model):
    """Check that the model ends in one value a class; return the number of classes."""
    if len(model.outputs) != 1:
        raise ValueError(f"model must have one output: it has {len(model.outputs)}")
    if len(model.output_shape) != 2:
        raise ValueError(
            f"model must end in one value a class: it makes {tuple(model.output_shape[1:])}"
        )
    return max(model.output_shape[1], 2)


def _checked_class(model, class_index):
    classes = _classes(model)
    if class_index not in range(classes):
        raise ValueError(f"class_index must be 0 to {classes - 1}: got {class_index!r}")
    return int(class_index)


def _logits_source(model):
    """Return a tensor before the last softmax or sigmoid, and the function that makes it logits.

    A last layer without either is taken to give logits already.
    """
    import keras

    squashing = (keras.activations.softmax, keras.activations.sigmoid)
    last = model.layers[-1]
    if isinstance(last, keras.layers.Softmax):
        return last.input, lambda values: values
    if getattr(last, "activation", None) not in squashing:
        return model.outputs[0], lambda values: values
    if isinstance(last, keras.layers.Activation):
        return last.input, lambda values: values
    if isinstance(last, keras.layers.Dense):

        def linear(values):
            values = keras.ops.matmul(values, last.kernel)
            return values if last.bias is None else values + last.bias

        return last.input, linear
    raise ValueError(
        f"model must end in Dense, Softmax or Activation: {last.name!r} is a {type(last).__name__}"
    )


def _class_logits(logits):
    """Return one column a class; a single sigmoid unit z speaks z for class 1, -z for class 0."""
    import keras

    if logits.shape[-1] == 1:
        return keras.ops.concatenate([-logits, logits], axis=-1)
    return logits


def _in_graph(function, batch):
    """Run a function as one TensorFlow graph.

    That leaves out what nobody asked for: the gradients of the kernels, which eager TensorFlow 2.21
    computes all the same (and crashes in, for one image and a 1×1 convolution with strides 2).
    """
    import tensorflow as tf

    return tf.function(function).get_concrete_function(batch)(batch)


def normalise(heatmap):
    """Scale a map of values that are not negative to [0, 1]; a map of zeros stays zero."""
    heatmap = np.asarray(heatmap)
    if not np.isfinite(heatmap).all() or heatmap.min() < 0:
        raise ValueError(
            f"heatmap must hold finite values of at least 0: got {heatmap.min()} to {heatmap.max()}"
        )
    largest = heatmap.max()
    return heatmap / largest if largest > 0 else heatmap


def filters(model, layer):
    """Learned weights of a convolution.

    Parameters
    ----------
    model : keras.Model
    layer : str
        Name of a convolution.

    Returns
    -------
    numpy.ndarray
        (rows, columns, channels in, filters); of a depthwise convolution, the last axis is its
        depth multiplier.
    """
    kernels = {
        other.name: other.kernel
        for other in model.layers
        if len(getattr(getattr(other, "kernel", None), "shape", ())) == 4
    }
    kind = type(_layer(model, layer)).__name__
    if layer not in kernels:
        raise ValueError(
            f"layer must be a convolution: {layer!r} is a {kind}; "
            f"convolutions here: {', '.join(kernels) or 'none'}"
        )
    return np.array(kernels[layer].numpy())


def feature_maps(model, images, layer, *, batch_size=64):
    """Output of one layer for some images.

    Parameters
    ----------
    model : keras.Model
    images : array of shape (n, rows, columns, channels)
    layer : str
    batch_size : int
        Images computed at once; the result does not depend on it.

    Returns
    -------
    numpy.ndarray
        float32, (n, *output shape of the layer): (n, rows, columns, channels) of a convolution.
    """
    inside = _up_to(model, _layer(model, layer).output)
    images = _checked_images(model, images)
    if not len(images):
        return np.zeros((0, *inside.output_shape[1:]), "float32")
    parts = [
        np.asarray(inside(images[first : first + batch_size], training=False))
        for first in range(0, len(images), batch_size)
    ]
    return np.concatenate(parts)


def grad_cam(model, image, layer, class_index):
    """Where in an image the evidence for a class was found, by Grad-CAM.

    Parameters
    ----------
    model : keras.Model
        Ends in one value a class, or in a single sigmoid unit (classes 0 and 1).
    image : array of shape (rows, columns, channels)
    layer : str
        A layer that makes feature maps, usually the last convolution.
    class_index : int

    Returns
    -------
    numpy.ndarray
        float32, (rows, columns) of the image, in [0, 1] with a largest value of 1; all zero where
        no feature map speaks for the class. The map of the layer is enlarged bilinearly.

    Notes
    -----
    Selvaraju et al., "Grad-CAM" (2017), equations 1 and 2: the maps are weighted by the mean
    gradient of the class' logit, added, and negative sums become 0. The gradient is taken before
    the softmax or sigmoid, where it does not vanish for a class that is nearly certain. One
    sigmoid unit with logit z stands for z in class 1 and -z in class 0.
    """
    import tensorflow as tf

    chosen = _spatial_layer(model, layer)
    image, class_index = _checked_image(model, image), _checked_class(model, class_index)
    source, to_logits = _logits_source(model)
    inside = _up_to(model, [chosen.output, source])

    def compute(batch):
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            # Weights may be frozen, and are not needed: watching the image records everything.
            tape.watch(batch)
            maps, values = inside(batch, training=False)
            logit = _class_logits(to_logits(values))[0, class_index]
        return maps, tape.gradient(logit, maps)

    maps, gradient = _in_graph(compute, tf.convert_to_tensor(image[None]))
    if gradient is None:
        raise ValueError(f"layer must lead to the model's output: {layer!r} does not")
    weights = tf.reduce_mean(gradient[0], axis=(0, 1))
    heatmap = tf.nn.relu(tf.linalg.matvec(maps[0], weights))
    enlarged = tf.image.resize(heatmap[..., None], image.shape[:2], method="bilinear")
    return normalise(enlarged[..., 0].numpy())


def _probabilities(model):
    """Return a function: images → float64 probabilities, one column a class."""
    import keras

    source, to_logits = _logits_source(model)
    inside = _up_to(model, source)

    def compute(images):
        logits = to_logits(inside(images, training=False))
        if logits.shape[-1] > 1:
            return np.asarray(keras.ops.softmax(logits))
        positive = np.asarray(keras.ops.sigmoid(logits))
        return np.concatenate([1 - positive, positive], axis=-1)

    return compute


def _starts(size, patch, stride):
    """First pixels of the patches on one axis; the last one ends at the border."""
    starts = list(range(0, size - patch + 1, stride))
    return starts if starts[-1] == size - patch else [*starts, size - patch]


def occlusion(model, image, class_index, patch, stride, *, batch_size=64):
    """How much the probability of a class drops when a patch of the image is covered.

    Parameters
    ----------
    model : keras.Model
        Ends in one value a class, or in a single sigmoid unit; a last layer without softmax or
        sigmoid is taken to give logits.
    image : array of shape (rows, columns, channels)
    class_index : int
    patch : int
        Side of the square, in pixels. It is filled with the mean colour of the image.
    stride : int
        Distance between patches, at most `patch`, so that every pixel is covered; a last patch is
        put at the border if the stride does not reach it.
    batch_size : int
        Covered images computed at once.

    Returns
    -------
    numpy.ndarray
        float32, (rows, columns): the mean drop over the patches that cover the pixel. Positive
        where the class needs the pixels, negative where they speak against it.

    Notes
    -----
    Zeiler and Fergus, "Visualizing and understanding convolutional networks" (2014), section 4.2.
    """
    image, class_index = _checked_image(model, image), _checked_class(model, class_index)
    rows, columns, _ = image.shape
    if not 1 <= patch <= min(rows, columns):
        raise ValueError(f"patch must be 1 to {min(rows, columns)} pixels: got {patch}")
    if not 1 <= stride <= patch:
        raise ValueError(f"stride must be 1 to the patch's {patch} pixels: got {stride}")
    corners = [
        (row, column)
        for row in _starts(rows, patch, stride)
        for column in _starts(columns, patch, stride)
    ]
    probabilities, colour = _probabilities(model), image.mean(axis=(0, 1))
    before = probabilities(image[None])[0, class_index]
    total, covered = np.zeros((rows, columns)), np.zeros((rows, columns))
    for first in range(0, len(corners), batch_size):
        some = corners[first : first + batch_size]
        batch = np.repeat(image[None], len(some), axis=0)
        for one, (row, column) in zip(batch, some, strict=True):
            one[row : row + patch, column : column + patch] = colour
        drops = before - probabilities(batch)[:, class_index]
        for drop, (row, column) in zip(drops, some, strict=True):
            total[row : row + patch, column : column + patch] += drop
            covered[row : row + patch, column : column + patch] += 1
    return (total / covered).astype("float32")


def _positive_mean(axes, seed=0):
    """Return an initializer: random positive weights that sum to 1 over what each output reads."""
    rng = np.random.default_rng(seed)

    def initialize(shape, dtype=None):
        values = rng.uniform(0.5, 1.5, shape)
        read = axes or tuple(range(len(shape) - 1))
        return (values / values.sum(axis=read, keepdims=True)).astype(dtype or "float32")

    return initialize


def _open_clone(layer):
    """Clone a layer so that no pixel can hide: no winner takes all, nothing saturates or cancels.

    Max becomes average, activations become linear, differences and extremes become sums.
    """
    from keras import layers

    class Unchanged(layers.Layer):
        def call(self, inputs, mask=None):
            return inputs

    opened = {
        "MaxPooling2D": layers.AveragePooling2D,
        "GlobalMaxPooling2D": layers.GlobalAveragePooling2D,
        "Maximum": layers.Add,
        "Minimum": layers.Add,
        "Subtract": layers.Add,
    }
    kind, config = type(layer), layer.get_config()
    if kind.__name__ in ("ReLU", "LeakyReLU", "ELU", "PReLU", "Softmax", "Activation"):
        return Unchanged(name=layer.name)
    changes = {
        "activation": "linear",
        "bias_initializer": "zeros",
        "gamma_initializer": "ones",
        "beta_initializer": "zeros",
        "kernel_initializer": _positive_mean(None),
        "pointwise_initializer": _positive_mean(None),
        # A depthwise kernel reads one channel, the others add over all of theirs.
        "depthwise_initializer": _positive_mean((0, 1)),
    }
    config.update({key: value for key, value in changes.items() if key in config})
    return opened.get(kind.__name__, kind).from_config(config)


def input_gradient_mask(model, layer, position):
    """Receptive field, measured: the pixels that the gradient of one unit reaches.

    Parameters
    ----------
    model : keras.Model
        Only its structure counts; it is left as it is.
    layer : str
    position : (int, int) or int
        Row and column of the unit in the layer's maps, or the unit's number in a dense layer.

    Returns
    -------
    numpy.ndarray
        bool, (rows, columns) of the image: True where the pixel can change the unit.

    Notes
    -----
    Trained weights, ReLU and max pooling leave some pixels without gradient by chance. So the
    gradient is taken through a clone in which every kernel is positive, max pooling is average
    pooling, and activations are linear: there, no path cancels or closes, and the gradient is
    zero exactly where no path leads. After about 35 layers it may be too small for float32.
    """
    import keras
    import tensorflow as tf

    inside = _up_to(model, _layer(model, layer).output)
    shape = tuple(inside.output_shape[1:-1] or inside.output_shape[1:])
    where = tuple(position) if isinstance(position, (tuple, list)) else (position,)
    if len(where) != len(shape) or any(
        p not in range(n) for p, n in zip(where, shape, strict=True)
    ):
        raise ValueError(
            f"position must lie in the {'×'.join(map(str, shape))} units of {layer!r}: "
            f"got {position!r}"
        )
    channels = tf.linspace(1.0, 2.0, inside.output_shape[-1])
    clone = keras.models.clone_model(inside, clone_function=_open_clone, recursive=True)

    def compute(batch):
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(batch)
            unit = clone(batch, training=False)[(0, *where)]
            # Channels get unequal weights: normalized ones always have the same plain sum.
            value = tf.tensordot(unit, channels, 1) if unit.shape.rank else unit
        return tape.gradient(value, batch)

    gradient = _in_graph(compute, tf.ones((1, *model.input_shape[1:])))
    if gradient is None:
        return np.zeros(model.input_shape[1:3], bool)
    return (gradient[0].numpy() != 0).any(axis=-1)
