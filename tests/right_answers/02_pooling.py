# Right answers to the exercises of notebook 02, written in other ways than the solution.

# %% backward: with loops over the window, in float32
def max_pool_backward(upstream, image, pool_size, strides):
    out = np.zeros(image.shape, "float32")
    for r in range(upstream.shape[0]):
        for c in range(upstream.shape[1]):
            best = (r * strides, c * strides)
            for y in range(r * strides, r * strides + pool_size):
                for x in range(c * strides, c * strides + pool_size):
                    if image[y, x] > image[best]:
                        best = (y, x)
            out[best] += upstream[r, c]
    return out

# %% average: means, put right at the border
def average_pool(images, pool_size, strides, padding):
    kernel = np.full((pool_size, pool_size, images.shape[3], 1), 1 / pool_size**2, "float32")
    means = keras.ops.depthwise_conv(images, kernel, strides, padding)
    ones = keras.ops.ones(images.shape)
    return np.array(means) / np.array(keras.ops.depthwise_conv(ones, kernel, strides, padding))

# %% minimum: from a constant
def min_pool(images, pool_size, strides, padding):
    return 100 - keras.ops.max_pool(100 - images, pool_size, strides, padding)

# %% blur: by indices, as a list
def max_blur_pool(signal):
    n = len(signal)
    peaks = [max(signal[k], signal[(k + 1) % n]) for k in range(n)]
    return [(peaks[k - 1] + 2 * peaks[k] + peaks[(k + 1) % n]) / 4 for k in range(0, n, 2)]
