# Wrong answers to the exercises of notebook 02, as students write them. Each block begins with the
# exercise's name and a part of the message that the check must answer with.

# %% backward: every one of several equal maxima
def max_pool_backward(upstream, image, pool_size, strides):
    gradient = np.zeros(image.shape)
    for row, column in np.ndindex(upstream.shape):
        y, x = row * strides, column * strides
        window = image[y : y + pool_size, x : x + pool_size]
        part = gradient[y : y + pool_size, x : x + pool_size]
        part += upstream[row, column] * (window == window.max())
    return gradient

# %% backward: wins more than one window
def max_pool_backward(upstream, image, pool_size, strides):
    gradient = np.zeros(image.shape)
    for row, column in np.ndindex(upstream.shape):
        y, x = row * strides, column * strides
        window = image[y : y + pool_size, x : x + pool_size]
        i, j = np.unravel_index(window.argmax(), window.shape)
        gradient[y + i, x + j] = upstream[row, column]
    return gradient

# %% backward: strides are ignored
def max_pool_backward(upstream, image, pool_size, strides):
    gradient = np.zeros(image.shape)
    for row, column in np.ndindex(upstream.shape):
        y, x = row * pool_size, column * pool_size
        window = image[y : y + pool_size, x : x + pool_size]
        if window.size:
            i, j = np.unravel_index(window.argmax(), window.shape)
            gradient[y + i, x + j] += upstream[row, column]
    return gradient

# %% backward: gradient of average pooling
def max_pool_backward(upstream, image, pool_size, strides):
    gradient = np.zeros(image.shape)
    for row, column in np.ndindex(upstream.shape):
        y, x = row * strides, column * strides
        gradient[y : y + pool_size, x : x + pool_size] += upstream[row, column] / pool_size**2
    return gradient

# %% backward: hand on the gradient
def max_pool_backward(upstream, image, pool_size, strides):
    gradient = np.zeros(image.shape)
    for row, column in np.ndindex(upstream.shape):
        y, x = row * strides, column * strides
        window = image[y : y + pool_size, x : x + pool_size]
        i, j = np.unravel_index(window.argmax(), window.shape)
        gradient[y + i, x + j] += window[i, j]
    return gradient

# %% average: mean over the padded window
def average_pool(images, pool_size, strides, padding):
    kernel = np.ones((pool_size, pool_size, images.shape[-1], 1), "float32") / pool_size**2
    return keras.ops.depthwise_conv(images, kernel, strides, padding)

# %% average: sums of the windows
def average_pool(images, pool_size, strides, padding):
    kernel = np.ones((pool_size, pool_size, images.shape[-1], 1), "float32")
    return keras.ops.depthwise_conv(images, kernel, strides, padding)

# %% average: strides are ignored
def average_pool(images, pool_size, strides, padding):
    return keras.ops.average_pool(images, pool_size, None, padding)

# %% average: mixes the channels
def average_pool(images, pool_size, strides, padding):
    channels = images.shape[-1]
    kernel = np.ones((pool_size, pool_size, channels, channels), "float32")
    sums = keras.ops.conv(images, kernel, strides, padding)
    return sums / keras.ops.conv(np.ones_like(images), kernel, strides, padding)

# %% minimum: signs are turned over
def min_pool(images, pool_size, strides, padding):
    return keras.ops.max_pool(-images, pool_size, strides, padding)

# %% minimum: negative of the largest
def min_pool(images, pool_size, strides, padding):
    return -keras.ops.max_pool(images, pool_size, strides, padding)

# %% minimum: strides are ignored
def min_pool(images, pool_size, strides, padding):
    return -keras.ops.max_pool(-images, pool_size, padding=padding)

# %% minimum: padding
def min_pool(images, pool_size, strides, padding):
    if padding == "same":
        images = np.pad(images, ((0, 0), (0, pool_size - 1), (0, pool_size - 1), (0, 0)))
    return -keras.ops.max_pool(-images, pool_size, strides)

# %% blur: before you drop
def max_blur_pool(signal):
    dense = np.maximum(signal, np.roll(signal, -1))[::2]
    return np.roll(dense, 1) / 4 + dense / 2 + np.roll(dense, -1) / 4

# %% blur: without the blur
def max_blur_pool(signal):
    return np.maximum(signal, np.roll(signal, -1))[::2]

# %% blur: every second value
def max_blur_pool(signal):
    dense = np.maximum(signal, np.roll(signal, -1))
    return np.roll(dense, 1) / 4 + dense / 2 + np.roll(dense, -1) / 4

# %% blur: add up to 1
def max_blur_pool(signal):
    dense = np.maximum(signal, np.roll(signal, -1))
    return (np.roll(dense, 1) + 2 * dense + np.roll(dense, -1))[::2]

# %% blur: in a circle
def max_blur_pool(signal):
    dense = np.maximum(signal, np.roll(signal, -1))
    return np.convolve(dense, [0.25, 0.5, 0.25], mode="same")[::2]
